package platform

import (
	"net/url"
	"regexp"
	"strings"
)

// GitURL is the address of a git repository elsewhere.
type GitURL struct {
	Scheme string // "https" or "ssh"
	User   string // of SSH; "git" when the address names none
	Host   string // with the port, if it names one
	Path   string // "/org/repo.git"; of the short form of SSH without the slash
}

// maxGitURL is how many characters an address may have.
const maxGitURL = 2048

// ParseGitURL reads an address that git clone takes: "https://host/path",
// "ssh://user@host:port/path" or "user@host:path". Others, and such that hold
// a password, are Invalid.
func ParseGitURL(text string) (GitURL, error) {
	bad := func(why string) (GitURL, error) { return GitURL{}, FieldErrorf("url", "%s", why) }
	const forms = "Enter the address of a git repository: https://host/path.git, ssh://git@host/path.git or git@host:path.git."
	if len(text) > maxGitURL || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return bad(forms)
	}
	if short := regexp.MustCompile(`^([A-Za-z0-9._-]+)@([A-Za-z0-9.-]+):([^/:].*|/[^/].*)$`).FindStringSubmatch(text); short != nil {
		if strings.HasPrefix(short[1], "-") || strings.HasPrefix(short[2], "-") || strings.HasPrefix(short[3], "-") {
			return bad(forms)
		}
		return GitURL{Scheme: "ssh", User: short[1], Host: short[2], Path: short[3]}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || strings.HasPrefix(u.Hostname(), "-") || strings.Trim(u.Path, "/") == "" || u.RawQuery != "" || u.Fragment != "" {
		return bad(forms) // the parser's error could repeat a password
	}
	if _, has := u.User.Password(); has || u.Scheme == "https" && u.User != nil {
		return bad("Leave user name and password out of the address; they have fields of their own.")
	}
	g := GitURL{Scheme: u.Scheme, User: u.User.Username(), Host: u.Host, Path: u.Path}
	switch g.Scheme {
	case "https":
		g.Path = strings.TrimRight(u.EscapedPath(), "/")
	case "ssh":
		if g.User == "" {
			g.User = "git"
		}
	default:
		return bad(forms)
	}
	return g, nil
}

// String is the address as git takes it.
func (g GitURL) String() string {
	switch {
	case g.Scheme == "ssh" && !strings.HasPrefix(g.Path, "/"):
		return g.User + "@" + g.Host + ":" + g.Path
	case g.Scheme == "ssh":
		return "ssh://" + g.User + "@" + g.Host + g.Path
	}
	return g.Scheme + "://" + g.Host + g.Path
}

// ValidateBranch checks the name of a branch as git check-ref-format does.
func ValidateBranch(name string) error {
	bad := name == "" || len(name) > 200 || name == "@" ||
		strings.HasPrefix(name, "-") || strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || strings.HasSuffix(name, ".") ||
		strings.Contains(name, "..") || strings.Contains(name, "//") || strings.Contains(name, "@{") ||
		strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) })
	for part := range strings.SplitSeq(name, "/") {
		bad = bad || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	if bad {
		return FieldErrorf("branch", "%q is no name of a branch.", name)
	}
	return nil
}
