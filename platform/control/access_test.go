package control_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// roles is a store in which everybody but alice has the role given.
type roles struct {
	control.Store
	role platform.Role
}

func (r roles) RoleOf(ctx context.Context, workspace, username string) (platform.Role, error) {
	if username == "bobby" {
		return r.role, nil
	}
	return r.Store.RoleOf(ctx, workspace, username)
}

func (r roles) FindAppFor(ctx context.Context, id, username string) (platform.App, platform.Role, error) {
	a, role, err := r.Store.FindAppFor(ctx, id, username)
	if username == "bobby" {
		role = r.role
	}
	return a, role, err
}

// verb is one call, the role that it needs, and how the app is looked up.
type verb struct {
	name  string
	need  platform.Role
	among bool // the app is looked up among the actor's own
	do    func(k *kit, who control.Actor, app string) error
}

func verbs() []verb {
	off := false
	return []verb{
		{"FindApp", platform.Viewer, true, func(k *kit, w control.Actor, a string) error { _, err := k.FindApp(k.t.Context(), w, a); return err }},
		{"DeleteApp", platform.Admin, true, func(k *kit, w control.Actor, a string) error { return k.DeleteApp(k.t.Context(), w, a) }},
		{"FindBuild", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.FindBuild(k.t.Context(), w, a, 0)
			return err
		}},
		{"Deploy", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.Deploy(k.t.Context(), w, a, control.NewBuild{Image: "img:2", Stack: "container"})
			return err
		}},
		{"FindConfig", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.FindConfig(k.t.Context(), w, a, 0)
			return err
		}},
		{"ChangeConfig", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.ChangeConfig(k.t.Context(), w, a, control.ConfigChange{Values: []control.ValueChange{{Name: "N", Value: ptr("1"), Group: "g"}}}, true)
			return err
		}},
		{"DetachConfig", platform.Admin, false, func(k *kit, w control.Actor, a string) error {
			return k.DetachConfig(k.t.Context(), w, a, map[string][]string{"web": {"db"}})
		}},
		{"ListReleases", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, _, err := k.ListReleases(k.t.Context(), w, a, nil, control.Page{})
			return err
		}},
		{"FindRelease", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.FindRelease(k.t.Context(), w, a, 1)
			return err
		}},
		{"DeployRelease", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			return k.DeployRelease(k.t.Context(), w, a, nil, true)
		}},
		{"Rollback", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.Rollback(k.t.Context(), w, a, 2, nil)
			return err
		}},
		{"Scale", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			return k.Scale(k.t.Context(), w, a, map[string]int{"web": 2})
		}},
		{"Pods", platform.Viewer, false, func(k *kit, w control.Actor, a string) error { _, err := k.Pods(k.t.Context(), w, a); return err }},
		{"Restart", platform.Member, false, func(k *kit, w control.Actor, a string) error { return k.Restart(k.t.Context(), w, a, nil) }},
		{"FindSettings", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.FindSettings(k.t.Context(), w, a)
			return err
		}},
		{"ChangeSettings", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.ChangeSettings(k.t.Context(), w, a, control.SettingsChange{Routable: &off})
			return err
		}},
	}
}

// Every verb below an app, by the role that it needs and by who asks.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	verbs := append(verbs(), append(edgeVerbs(), routingVerbs()...)...)
	type asker struct {
		name         string
		role         platform.Role
		super, staff bool
	}
	askers := []asker{
		{"stranger", platform.NoRole, false, false}, {"viewer", platform.Viewer, false, false}, {"member", platform.Member, false, false},
		{"admin", platform.Admin, false, false}, {"superuser", platform.NoRole, true, false}, {"staff", platform.NoRole, false, true},
	}
	for _, a := range askers {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t).run()
			k.create(app)
			k.deploy("img:1")
			_, err := k.ChangeConfig(t.Context(), k.alice, app, control.ConfigChange{ValuesRefs: map[string][]string{"web": {"db"}}}, true)
			require.NoError(t, err)
			k.furnish()
			k.settle()
			k.stop()
			k.renew(func(o *control.Options) { o.Store = roles{k.store, a.role} })
			who := k.bobby
			who.User.IsSuperuser, who.User.IsStaff = a.super, a.staff
			for _, v := range append(verbs[:0:0], verbs...) {
				if v.name == "DeleteApp" {
					continue // comes last
				}
				check(t, v.name, v.do(k, who, app), v.need, v.among, a.role, a.super || a.staff)
				fails(t, v.do(k, who, "nothere"), platform.NotFound, "No App matches the given query.")
			}
			check(t, "DeleteApp", verbs[1].do(k, who, app), platform.Admin, true, a.role, false)
		})
	}
}

func check(t *testing.T, verb string, err error, need platform.Role, among bool, role platform.Role, always bool) {
	t.Helper()
	name := fmt.Sprintf("%s as %d", verb, role)
	switch {
	case role >= need || (always && !among):
		require.NoError(t, err, name)
	case among && role == platform.NoRole:
		require.Equal(t, platform.NotFound, platform.CodeOf(err), name)
	default:
		require.Equal(t, platform.Forbidden, platform.CodeOf(err), name)
		fails(t, err, platform.Forbidden, "You do not have permission to perform this action.")
	}
}

func TestCreateAppNeedsMembership(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	_, err := k.CreateApp(t.Context(), k.bobby, control.NewApp{ID: app, Workspace: "alice"})
	fails(t, err, platform.Forbidden, "You do not have permission")
	_, err = k.CreateApp(t.Context(), k.bobby, control.NewApp{ID: app, Workspace: "nothere"})
	fails(t, err, platform.Invalid, "Object with id=nothere does not exist.")
	_, _, err = k.ListApps(t.Context(), k.bobby, control.AppFilter{Workspace: "alice"}, control.Page{})
	fails(t, err, platform.Forbidden, "You are not a member of workspace 'alice'")
	_, _, err = k.ListApps(t.Context(), k.bobby, control.AppFilter{Workspace: "nothere"}, control.Page{})
	fails(t, err, platform.NotFound, "No Workspace matches")
	k.renew(func(o *control.Options) { o.Store = roles{k.store, platform.Viewer} })
	_, err = k.CreateApp(t.Context(), k.bobby, control.NewApp{ID: app, Workspace: "alice"})
	fails(t, err, platform.Forbidden, "You do not have permission")
}
