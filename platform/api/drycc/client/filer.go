package client

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// Filer gives access to the files in a volume, by WebDAV.
type Filer struct {
	Username, Password string
	// URL is the volume's address for any WebDAV client.
	URL string

	client *Client
	root   string // the path of URL
	ping   string
}

// FileInfo is a file or a folder in a volume. Name is its path in the volume,
// without a slash at its beginning.
type FileInfo struct {
	Name     string    `json:"name"`
	Size     int64     `json:"size"`
	Folder   bool      `json:"folder"`
	Modified time.Time `json:"modified"`
}

// BindFiler starts the volume's file server, when none runs, and gets its
// credentials. It can take a while until it answers; see Await.
func (c *Client) BindFiler(ctx context.Context, app, volume string) (*Filer, error) {
	base := join("v2", "apps", app, "volumes", volume, "filer")
	f, err := send[Filer](ctx, c, http.MethodPost, base+"/_/bind", nil)
	if err != nil {
		return nil, err
	}
	f.client, f.ping, f.root = c, base+"/_/ping", base+"/webdav/"
	f.URL = c.base.String() + f.root
	return &f, nil
}

// Ping keeps the file server running.
func (f *Filer) Ping(ctx context.Context) error {
	var pong string
	_, err := f.client.do(ctx, call{method: http.MethodGet, path: f.ping, out: &pong})
	return err
}

// Await pings until the file server answers or patience ends.
func (f *Filer) Await(ctx context.Context, every, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := f.Ping(ctx)
		if err == nil || StatusOf(err) != http.StatusServiceUnavailable {
			return err
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return fmt.Errorf("the volume's file server does not answer: %w", ctx.Err())
		}
	}
}

// address is the escaped path of a file.
func (f *Filer) address(name string) string {
	parts := strings.Split(strings.Trim(path.Clean("/"+name), "/"), "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return f.root + strings.Join(parts, "/")
}

// request sends one WebDAV request. A size below 0 is not known.
func (f *Filer) request(ctx context.Context, method, target string, body io.Reader, size int64, header http.Header) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, f.client.base.String()+target, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, target, err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if body != nil {
		r.ContentLength = size
	}
	r.Header.Set("User-Agent", f.client.opts.UserAgent)
	r.SetBasicAuth(f.Username, f.Password)
	res, err := f.client.http.Do(r)
	if err != nil {
		return nil, f.client.unreachable(ctx, err)
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20)) // the status says enough
	return nil, newError(call{method: method, path: target}, res, text)
}

// Put writes a file of size bytes.
func (f *Filer) Put(ctx context.Context, name string, content io.Reader, size int64) error {
	if size == 0 {
		content = http.NoBody
	}
	res, err := f.request(ctx, http.MethodPut, f.address(name), content, size, nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// Get reads a file; the caller closes it. The size is -1 when it is not known.
func (f *Filer) Get(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	res, err := f.request(ctx, http.MethodGet, f.address(name), nil, 0, nil)
	if err != nil {
		return nil, 0, err
	}
	return res.Body, res.ContentLength, nil
}

// Remove removes a file, or a folder with all in it.
func (f *Filer) Remove(ctx context.Context, name string) error {
	res, err := f.request(ctx, http.MethodDelete, f.address(name), nil, 0, nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// MakeFolder makes a folder; one that is there already is no error.
func (f *Filer) MakeFolder(ctx context.Context, name string) error {
	res, err := f.request(ctx, "MKCOL", f.address(name)+"/", nil, 0, nil)
	if StatusOf(err) == http.StatusMethodNotAllowed {
		return nil
	}
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// multistatus is WebDAV's answer to PROPFIND.
type multistatus struct {
	Responses []struct {
		Href string `xml:"DAV: href"`
		Prop []struct {
			Length     string    `xml:"DAV: getcontentlength"`
			Modified   string    `xml:"DAV: getlastmodified"`
			Collection *struct{} `xml:"DAV: resourcetype>collection"`
		} `xml:"DAV: propstat>prop"`
	} `xml:"DAV: response"`
}

// List lists what is in a folder, or the file itself. self tells which.
func (f *Filer) List(ctx context.Context, name string) (files []FileInfo, self bool, err error) {
	res, err := f.request(ctx, "PROPFIND", f.address(name), nil, 0, http.Header{"Depth": {"1"}})
	if err != nil {
		return nil, false, err
	}
	defer res.Body.Close()
	var answer multistatus
	if err := xml.NewDecoder(io.LimitReader(res.Body, mostBody)).Decode(&answer); err != nil {
		return nil, false, fmt.Errorf("list %s: the answer is not WebDAV's: %w", name, err)
	}
	asked := strings.Trim(path.Clean("/"+name), "/")
	files = []FileInfo{}
	for _, r := range answer.Responses {
		u, err := url.Parse(r.Href)
		if err != nil {
			return nil, false, fmt.Errorf("list %s: %w", name, err)
		}
		info := FileInfo{Name: f.within(u.Path)}
		for _, p := range r.Prop {
			info.Folder = info.Folder || p.Collection != nil
			if n, err := strconv.ParseInt(p.Length, 10, 64); err == nil {
				info.Size = n
			}
			if t, err := http.ParseTime(p.Modified); err == nil {
				info.Modified = t
			}
		}
		if info.Name != asked {
			files = append(files, info)
		} else if !info.Folder {
			return []FileInfo{info}, true, nil
		}
	}
	return files, false, nil
}

// within is the path in the volume of a path on some server: the file server
// may or may not know under which path we see it.
func (f *Filer) within(p string) string {
	root, err := url.PathUnescape(f.root)
	if err == nil {
		p = strings.TrimPrefix(p, strings.TrimSuffix(root, "/"))
	}
	return strings.Trim(p, "/")
}
