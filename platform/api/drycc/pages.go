package drycc

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // the pages
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"time"
)

//go:embed login.html
var pageText string

//go:embed login.css
var pageStyle string

// pages makes what people see in a browser. Its pages need no script, and
// their policy allows none.
type pages struct {
	template *template.Template
	policy   string
	secret   []byte // signs forms; a page from before a restart has to be loaded again
	protect  *http.CrossOriginProtection
}

func newPages() *pages {
	sum := sha256.Sum256([]byte(pageStyle))
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never returns an error
	return &pages{
		template: template.Must(template.New("page").Parse(pageText)),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		secret: secret, protect: http.NewCrossOriginProtection(),
	}
}

// pageData fills the template.
type pageData struct {
	Title   string
	Text    []string
	Error   string
	Refresh string // where the browser goes by itself
	Form    *formData
	Style   template.CSS
}

// formData fills the login form.
type formData struct {
	Key, CSRF, Username string
	Remote, Ago         string
	Provider            string
}

// sender is an answer that sends itself.
type sender interface {
	send(w http.ResponseWriter, status int)
}

// page is an answer for a browser.
type page struct {
	html   []byte
	policy string
	cookie *http.Cookie
}

func (p page) send(w http.ResponseWriter, status int) {
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", p.policy)
	head.Set("X-Frame-Options", "DENY")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Del("Access-Control-Allow-Origin") // a page is for its reader only
	if p.cookie != nil {
		http.SetCookie(w, p.cookie)
	}
	w.WriteHeader(status)
	_, _ = w.Write(p.html) // a browser that went away is not our error
}

// elsewhere is an answer that sends the browser to another address.
type elsewhere string

func (e elsewhere) send(w http.ResponseWriter, status int) {
	w.Header().Set("Location", string(e))
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
}

// render makes the answer of a page.
func (p *pages) render(status int, d pageData, cookie *http.Cookie) answer {
	d.Style = template.CSS(pageStyle) // ours, and what the policy's hash is of
	var b bytes.Buffer
	if err := p.template.Execute(&b, d); err != nil {
		// The template and its data are ours: a test renders every page.
		return answer{http.StatusInternalServerError, plain("The page could not be made.")}
	}
	return answer{status, page{html: b.Bytes(), policy: p.policy, cookie: cookie}}
}

// notice is a page that only says something.
func (p *pages) notice(status int, title, text string) answer {
	return p.render(status, pageData{Title: title, Text: []string{text}}, nil)
}

// refusal is a notice that something did not work.
func (p *pages) refusal(status int, title, text string) answer {
	return p.render(status, pageData{Title: title, Error: text}, nil)
}

const (
	cookieName = "slipway_login"
	cookieLife = 30 * time.Minute
)

// browser returns what tells this browser from others, and the cookie to set
// when it had none. The cookie says nothing about who somebody is: it binds
// forms, and the way to an identity provider and back, to one browser.
func browser(r *request) (string, *http.Cookie) {
	if c, err := r.Cookie(cookieName); err == nil && len(c.Value) == 64 {
		return c.Value, nil
	}
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never returns an error
	id := hex.EncodeToString(raw)
	return id, &http.Cookie{
		Name: cookieName, Value: id, Path: "/v2/", MaxAge: int(cookieLife / time.Second), HttpOnly: true,
		Secure: r.secure(), SameSite: http.SameSiteLaxMode, // lax: it has to come along from the provider
	}
}

// sign makes a form's token for one browser and one login.
func (p *pages) sign(browser, key string) string {
	mac := hmac.New(sha256.New, p.secret)
	mac.Write([]byte(browser + "\x00" + key))
	return hex.EncodeToString(mac.Sum(nil))
}

// genuine reports whether a form was sent from a page that this browser got
// from us.
func (p *pages) genuine(r *request, key string) bool {
	c, err := r.Cookie(cookieName)
	if err != nil || p.protect.Check(r.Request) != nil {
		return false
	}
	return hmac.Equal([]byte(p.sign(c.Value, key)), []byte(r.PostForm.Get("csrf")))
}

// ago says how long something is past, roughly.
func ago(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "just now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds ago", int(d/time.Second))
	default:
		return fmt.Sprintf("%d minutes ago", int(d/time.Minute))
	}
}
