package backup

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Options say how a bucket is reached. The secret key is in no message.
type S3Options struct {
	Endpoint  string // https://host:port; empty: Amazon's
	Region    string // empty: asked for
	AccessKey string
	SecretKey string
	CAFile    string // PEM of who signs the server's certificate; empty: the host's
}

// Bucket keeps backups below a prefix of a bucket.
type Bucket struct {
	client *minio.Client
	name   string
	prefix string
}

const (
	amazon      = "https://s3.amazonaws.com"
	minPartSize = 16 << 20
	maxParts    = 10_000 // of one object, says S3
)

// NewBucket opens the place s3://bucket/prefix, without asking for anything yet.
func NewBucket(location string, o S3Options) (*Bucket, error) {
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("the place is not written as s3://bucket/folder; keys belong into the settings")
	}
	if o.Endpoint == "" {
		o.Endpoint = amazon
	}
	server, err := url.Parse(o.Endpoint)
	if err != nil || server.Host == "" || (server.Scheme != "https" && server.Scheme != "http") || strings.Trim(server.Path, "/") != "" {
		return nil, fmt.Errorf("the S3 server %q is not written as https://host or https://host:port", o.Endpoint)
	}
	if o.AccessKey == "" || o.SecretKey == "" {
		return nil, errors.New("there are no keys for S3: set SLIPWAY_BACKUP_S3_ACCESS_KEY and SLIPWAY_BACKUP_S3_SECRET_KEY")
	}
	transport, err := s3Transport(o.CAFile)
	if err != nil {
		return nil, err
	}
	client, err := minio.New(server.Host, &minio.Options{
		Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Secure: server.Scheme == "https",
		Region: o.Region, Transport: transport,
	})
	if err != nil {
		return nil, fmt.Errorf("S3 server %s: %w", o.Endpoint, err)
	}
	return &Bucket{client: client, name: u.Host, prefix: strings.Trim(u.Path, "/")}, nil
}

func s3Transport(caFile string) (http.RoundTripper, error) {
	transport, err := minio.DefaultTransport(true)
	if err != nil || caFile == "" {
		return transport, err
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("authority of the S3 server: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("authority of the S3 server: %s has no certificate", caFile)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return transport, nil
}

// String implements Place.
func (b *Bucket) String() string { return "s3://" + path.Join(b.name, b.prefix) }

func (b *Bucket) key(name string) string { return path.Join(b.prefix, name) }

// explained adds what was asked of whom to an error of S3.
func (b *Bucket) explained(what string, err error) error {
	if err == nil {
		return nil
	}
	answer := minio.ToErrorResponse(err)
	switch answer.Code {
	case "NoSuchKey":
		return fmt.Errorf("%s in %s: %w", what, b, fs.ErrNotExist)
	case "NoSuchBucket":
		return fmt.Errorf("%s in %s: there is no such bucket: make it first", what, b)
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return fmt.Errorf("%s in %s: the server refused the keys (%s): check SLIPWAY_BACKUP_S3_ACCESS_KEY, SLIPWAY_BACKUP_S3_SECRET_KEY and the bucket's policy", what, b, answer.Code)
	}
	return fmt.Errorf("%s in %s: %w", what, b, err)
}

// Create implements Place. Parts are sent while the backup is made; one is in
// memory at a time.
func (b *Bucket) Create(ctx context.Context, name string, about int64) (Sink, error) {
	_, err := b.client.StatObject(ctx, b.name, b.key(name), minio.StatObjectOptions{})
	if err == nil {
		return nil, fmt.Errorf("write the backup: %s is in %s already; nothing is overwritten", name, b)
	}
	if err = b.explained("look for "+name, err); !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	// What a killed run has sent would be paid for until somebody noticed.
	if err := b.client.RemoveIncompleteUpload(ctx, b.name, b.key(name)); err != nil {
		return nil, b.explained("drop an unfinished upload", err)
	}
	r, w := io.Pipe()
	s := &bucketSink{PipeWriter: w, done: make(chan error, 1)}
	go func() {
		_, err := b.client.PutObject(ctx, b.name, b.key(name), r, -1, minio.PutObjectOptions{
			PartSize: partSize(about), NumThreads: 1, ContentType: "application/octet-stream",
		})
		err = b.explained("upload "+name, err)
		if err != nil && ctx.Err() != nil {
			err = errors.Join(err, b.dropUpload(ctx, name)) // the client could not
		}
		r.CloseWithError(err) // so that the writer learns of it
		s.done <- err
	}()
	return s, nil
}

// dropPatience is how long an upload that was given up may take to be dropped.
const dropPatience = 15 * time.Second

// dropUpload drops the parts of an upload whose context has ended.
func (b *Bucket) dropUpload(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropPatience)
	defer cancel()
	return b.explained("drop an unfinished upload", b.client.RemoveIncompleteUpload(ctx, b.name, b.key(name)))
}

// partSize is such that twice the expected size fits into the parts there may
// be.
func partSize(about int64) uint64 {
	size := uint64(minPartSize)
	for size*maxParts/2 < uint64(max(about, 0)) {
		size *= 2
	}
	return size
}

type bucketSink struct {
	*io.PipeWriter
	done  chan error
	ended bool
}

// Commit implements Sink.
func (s *bucketSink) Commit() error {
	s.ended = true
	return errors.Join(s.PipeWriter.Close(), <-s.done)
}

var errAborted = errors.New("the backup was given up")

// Abort implements Sink. The upload is dropped by its client.
func (s *bucketSink) Abort() error {
	if s.ended {
		return nil
	}
	s.ended = true
	err := s.PipeWriter.CloseWithError(errAborted)
	if end := <-s.done; !errors.Is(end, errAborted) {
		err = errors.Join(err, end)
	}
	return err
}

// staleUpload is the age from which an unfinished upload can't be one that is
// under way.
const staleUpload = 7 * 24 * time.Hour

// Sweep implements Place. What an unfinished upload holds can't be read, so it
// goes by the names that are made up here, and by its age.
func (b *Bucket) Sweep(ctx context.Context, _ string) error {
	prefix := b.prefix
	if prefix != "" {
		prefix += "/"
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for u := range b.client.ListIncompleteUploads(ctx, b.name, prefix, false) {
		if u.Err != nil {
			return b.explained("look for unfinished uploads", u.Err)
		}
		if !madeUp.MatchString(strings.TrimPrefix(u.Key, prefix)) || time.Since(u.Initiated) < staleUpload {
			continue
		}
		if err := b.client.RemoveIncompleteUpload(ctx, b.name, u.Key); err != nil {
			return b.explained("drop an unfinished upload", err)
		}
	}
	return nil
}

// Open implements Place.
func (b *Bucket) Open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	object, err := b.client.GetObject(ctx, b.name, b.key(name), minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, b.explained("read "+name, err)
	}
	info, err := object.Stat()
	if err != nil {
		return nil, 0, errors.Join(b.explained("read "+name, err), object.Close())
	}
	return object, info.Size, nil
}

// List implements Place.
func (b *Bucket) List(ctx context.Context) ([]Object, error) {
	prefix := b.prefix
	if prefix != "" {
		prefix += "/"
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing when it is left early
	var list []Object
	for o := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix}) {
		if o.Err != nil {
			return nil, b.explained("list backups", o.Err)
		}
		if name := strings.TrimPrefix(o.Key, prefix); name != "" && !strings.HasSuffix(name, "/") {
			list = append(list, Object{name, o.Size})
		}
	}
	return list, nil
}

// Remove implements Place.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	return b.explained("remove "+name, b.client.RemoveObject(ctx, b.name, b.key(name), minio.RemoveObjectOptions{}))
}

// Split takes a location apart into its place and the name in it. A location
// that ends in a slash, or names a folder that is there, has no name.
func Split(location string, o S3Options) (Place, string, error) {
	folder, name := path.Split(location)
	if strings.HasPrefix(location, "s3://") {
		if strings.Count(location, "/") < 3 {
			folder, name = location, "" // only a bucket
		}
		b, err := NewBucket(folder, o)
		return b, name, err
	}
	if info, err := os.Stat(location); err == nil && info.IsDir() {
		folder, name = location, ""
	}
	if folder == "" {
		folder = "."
	}
	return Folder{Path: folder}, name, nil
}
