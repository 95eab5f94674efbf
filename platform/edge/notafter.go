package edge

import "time"

// NotAfter returns when the first certificate of a PEM chain ends.
func NotAfter(chain []byte) (time.Time, error) {
	cert, err := decodeCertificate(chain)
	if err != nil {
		return time.Time{}, err
	}
	return cert.NotAfter, nil
}
