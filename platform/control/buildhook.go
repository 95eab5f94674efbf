package control

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net/url"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/slipway-paas/slipway/platform"
)

// NewBuildHook is what a build hook is made of.
type NewBuildHook struct {
	URL      string // of a git repository, see platform.ParseGitURL
	Branch   string // empty: main
	Username string // for HTTPS
	Password string // for HTTPS, a token that may read the repository; empty: it is public
	CA       string // certificates in PEM, for hosts with an authority of their own
}

const (
	defaultBranch = "main"
	maxLogin      = 1 << 10  // bytes of a user name or password
	maxCA         = 64 << 10 // bytes of certificates
)

func (n NewBuildHook) check() (platform.GitURL, error) {
	where, err := platform.ParseGitURL(n.URL)
	if err != nil {
		return where, err
	}
	if err := platform.ValidateBranch(n.Branch); err != nil {
		return where, err
	}
	for _, field := range []struct{ name, value string }{{"username", n.Username}, {"password", n.Password}, {"ca", n.CA}} {
		if field.value != "" && where.Scheme == "ssh" {
			return where, platform.FieldErrorf(field.name, "It is for HTTPS; over SSH a key is used that is made now.")
		}
	}
	if len(n.Username) > maxLogin || len(n.Password) > maxLogin || strings.ContainsAny(n.Username, ":\r\n\x00") {
		return where, platform.FieldErrorf("username", "User name or password have a form that HTTPS does not take.")
	}
	if n.CA != "" && (len(n.CA) > maxCA || !x509.NewCertPool().AppendCertsFromPEM([]byte(n.CA))) {
		return where, platform.FieldErrorf("ca", "Enter certificates in PEM, up to %d KiB.", maxCA>>10)
	}
	return where, nil
}

// SetBuildHook gives an app an address at which a host of repositories tells
// of pushes to a branch, in place of the one it has. Builds are the actor's.
// secret is what the host signs with; nobody can read it later on. For a
// repository over SSH a key is made, and the key of its server is looked up,
// for which it has to be within reach.
func (c *Controller) SetBuildHook(ctx context.Context, actor Actor, app string, n NewBuildHook) (h platform.BuildHook, secret string, err error) {
	if n.Branch == "" {
		n.Branch = defaultBranch
	}
	if _, err := c.appFor(ctx, actor, app, platform.Member); err != nil {
		return h, "", err
	}
	if c.fetcher == nil || c.builder == nil {
		return h, "", noBuilder()
	}
	where, err := n.check()
	if err != nil {
		return h, "", err
	}
	h = platform.BuildHook{
		UUID: newUUID(), App: app, User: actor.User.Username, URL: where.String(), Branch: n.Branch,
		Username: n.Username, CA: n.CA, Created: c.now(),
	}
	secrets := platform.BuildHookSecrets{Secret: rand.Text() + rand.Text(), Password: n.Password}
	if where.Scheme == "ssh" {
		if h.HostKey, err = c.fetcher.HostKey(ctx, h.URL); err != nil {
			return h, "", err
		}
		if h.PublicKey, secrets.PrivateKey, err = newDeployKey(app + "@" + c.domain); err != nil {
			return h, "", err
		}
	}
	_, release, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return h, "", err
	}
	defer release()
	return h, secrets.Secret, c.store.PutBuildHook(ctx, h, secrets)
}

// newDeployKey makes an SSH key: in the form of authorized_keys, and PEM.
func newDeployKey(comment string) (public, private string, err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", "", err
	}
	block, err := ssh.MarshalPrivateKey(key, comment)
	if err != nil {
		return "", "", err
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return "", "", err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	return line + " " + comment, string(pem.EncodeToMemory(block)), nil
}

// FindBuildHook finds the build hook of an app.
func (c *Controller) FindBuildHook(ctx context.Context, actor Actor, app string) (platform.BuildHook, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return platform.BuildHook{}, err
	}
	h, _, err := c.store.FindBuildHook(ctx, app)
	return h, err
}

// DeleteBuildHook takes the build hook of an app away, at once.
func (c *Controller) DeleteBuildHook(ctx context.Context, actor Actor, app string) error {
	_, release, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return err
	}
	defer release()
	return c.store.DeleteBuildHook(ctx, app)
}

// PullSource builds the newest commit of the branch that an app's build hook
// names, whether it was built before or not.
func (c *Controller) PullSource(ctx context.Context, actor Actor, app string) (platform.BuildRun, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Member); err != nil {
		return platform.BuildRun{}, err
	}
	h, secrets, err := c.store.FindBuildHook(ctx, app)
	if err != nil {
		return platform.BuildRun{}, err
	}
	h.User = actor.User.Username
	return c.pull(ctx, h, secrets, hookCall{})
}

// HookCall is what comes to the address of a build hook. It is proven by the
// signature, or by the token, which is the secret itself.
type HookCall struct {
	Body      []byte
	Form      bool   // the body is a form whose field "payload" has the JSON
	Signature string // HMAC-SHA256 of the body with the secret, in hex
	Token     string // the secret, from hosts that do not sign
	Event     string // what the host says has happened; empty: a push
}

// proven compares in constant time.
func (k HookCall) proven(secret string) bool {
	if k.Signature != "" {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(k.Body)
		given, err := hex.DecodeString(k.Signature)
		return err == nil && hmac.Equal(given, mac.Sum(nil))
	}
	given, want := sha256.Sum256([]byte(k.Token)), sha256.Sum256([]byte(secret))
	return k.Token != "" && subtle.ConstantTimeCompare(given[:], want[:]) == 1
}

// payload is the JSON text of a call.
func (k HookCall) payload() []byte {
	if !k.Form {
		return k.Body
	}
	form, err := url.ParseQuery(string(k.Body))
	if err != nil {
		return nil
	}
	return []byte(form.Get("payload"))
}

// HookAnswer is what a host of repositories hears.
type HookAnswer struct {
	Message string
	Run     *platform.BuildRun // the build that was begun, or that was begun before
}

// CallBuildHook is told of a push by a host of repositories, and begins to
// build what the branch then has. A call without proof is Forbidden, an
// unknown hook NotFound. What is no push to the branch is answered only; so is
// what was told before and has been built.
//
// The commit is looked up at the host, not taken from the call: a call that
// somebody recorded and repeats can't bring an older one back.
func (c *Controller) CallBuildHook(ctx context.Context, id string, call HookCall) (HookAnswer, error) {
	h, secrets, err := c.store.FindBuildHookAt(ctx, id)
	if err != nil {
		return HookAnswer{}, err
	}
	if !call.proven(secrets.Secret) {
		return HookAnswer{}, platform.Errorf(platform.Forbidden, "The signature is not that of this hook's secret.")
	}
	told, ignored, err := readCall(call, h.Branch)
	if err != nil || ignored != "" {
		return HookAnswer{Message: ignored}, err
	}
	if told.SHA != "" {
		run, err := c.store.FindDelivery(ctx, h.App, told.sum)
		if err == nil && (!run.State.Ended() || run.State == platform.BuildSucceeded) {
			return HookAnswer{Message: "This was told before.", Run: &run}, nil
		}
		if err != nil && platform.CodeOf(err) != platform.NotFound {
			return HookAnswer{}, err
		}
	}
	run, err := c.pull(ctx, h, secrets, told)
	if code := platform.CodeOf(err); code == platform.Forbidden || code == platform.NotFound {
		return HookAnswer{}, platform.Errorf(platform.Forbidden, "%s, who set this hook up, may not deploy %s any more. Somebody who may has to set it up again.", h.User, h.App)
	}
	if err != nil {
		return HookAnswer{}, err
	}
	return HookAnswer{Message: "Building.", Run: &run}, nil
}

// pull records a run and has it fetch, build and deploy.
func (c *Controller) pull(ctx context.Context, h platform.BuildHook, secrets platform.BuildHookSecrets, told hookCall) (platform.BuildRun, error) {
	if c.fetcher == nil {
		return platform.BuildRun{}, noBuilder()
	}
	if !c.builds.takeTree() {
		return platform.BuildRun{}, platform.Errorf(platform.Throttled, "Too many builds are waiting. Try again later.")
	}
	s := Source{Origin: platform.OriginHook, Ref: "refs/heads/" + h.Branch, SHA: told.SHA, delivery: told.sum}
	run, inner, err := c.accept(ctx, context.WithoutCancel(ctx), h.User, h.App, s)
	if err != nil {
		c.builds.freeTree()
		return run, err
	}
	c.builds.group.Go(func() {
		defer c.builds.freeTree()
		fetch := func(ctx context.Context, l *buildLog) (Source, error) { return c.fetch(ctx, run, h, secrets, told, l) }
		// How it ends is in its record.
		_, _ = c.carryOut(inner, run, fetch, io.Discard)
	})
	return run, nil
}

// fetch gets the tree of a run. Somebody who asked for it gets it in any case;
// a call of the hook only when it is not what was built last.
func (c *Controller) fetch(ctx context.Context, run platform.BuildRun, h platform.BuildHook, secrets platform.BuildHookSecrets, told hookCall, l *buildLog) (Source, error) {
	l.say("Fetching %s of %s", h.Branch, h.URL)
	tree, err := c.fetcher.Fetch(ctx, GitSource{
		URL: h.URL, Branch: h.Branch, Username: h.Username, Password: secrets.Password, CA: h.CA,
		PrivateKey: secrets.PrivateKey, HostKey: h.HostKey,
	}, l)
	if err != nil {
		return Source{}, err
	}
	s := Source{Origin: run.Origin, Ref: run.Ref, SHA: tree.SHA, Tar: tree.Tar, owned: true}
	l.say("The newest commit is %.8s", tree.SHA)
	if tree.SHA != run.SHA {
		if err := c.store.SetBuildRunSHA(ctx, run.UUID, tree.SHA); err != nil {
			return s, err
		}
	}
	if told.sum == "" {
		return s, nil
	}
	newest, _, err := c.store.ListBuilds(ctx, h.App, Page{Limit: 1})
	if err == nil && len(newest) > 0 && newest[0].SHA == tree.SHA {
		err = superfluous{fmt.Sprintf("%.8s is what was built last.", tree.SHA)}
	}
	return s, err
}

// superfluous is why a run that nobody waits for ends without a release.
type superfluous struct{ message string }

// Error is for the run's message.
func (s superfluous) Error() string { return s.message }
