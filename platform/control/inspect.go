package control

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// Ptypes lists what is deployed of an app, newest first. What the newest
// release no longer has is garbage.
func (c *Controller) Ptypes(ctx context.Context, actor Actor, app string) ([]platform.PtypeStatus, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, err
	}
	list, err := c.cluster.Ptypes(ctx, app)
	if err != nil {
		return nil, err
	}
	current, err := c.currentPtypes(ctx, app)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Garbage = !slices.Contains(current, list[i].Name)
	}
	return list, nil
}

// currentPtypes are those of the newest release that did not fail; none
// before the first build.
func (c *Controller) currentPtypes(ctx context.Context, app string) ([]string, error) {
	r, err := c.latest(ctx, app)
	if err != nil || r.Build == "" {
		return nil, err
	}
	return c.ptypesOf(ctx, r.Build)
}

// DescribePtype tells of what the pods of a process type are made. name is the
// process type's or, as the cluster has it, that of app and process type.
func (c *Controller) DescribePtype(ctx context.Context, actor Actor, app, name string) ([]platform.Container, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, err
	}
	for _, ptype := range bothForms(app, name) {
		list, err := c.cluster.DescribePtype(ctx, app, ptype)
		if platform.CodeOf(err) != platform.NotFound {
			return list, err
		}
	}
	return nil, platform.Errorf(platform.Invalid, "this procfile type not found")
}

// bothForms reads a name that is a process type with or without its app in
// front, likelier first.
func bothForms(app, name string) []string {
	if ptype, ok := strings.CutPrefix(name, app+"-"); ok && ptype != "" {
		return []string{ptype, name}
	}
	return []string{name}
}

// DescribePod tells of the containers of a pod.
func (c *Controller) DescribePod(ctx context.Context, actor Actor, app, pod string) ([]platform.Container, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, err
	}
	list, err := c.cluster.DescribePod(ctx, app, pod)
	return list, noProcess(err)
}

// noProcess words the lack of a pod as clients expect it.
func noProcess(err error) error {
	if platform.CodeOf(err) == platform.NotFound {
		return platform.Errorf(platform.Invalid, "this process not found")
	}
	return err
}

// Events lists what the cluster noted about a pod or else a process type,
// oldest first; nothing when neither is named.
func (c *Controller) Events(ctx context.Context, actor Actor, app, pod, ptype string) ([]platform.ClusterEvent, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, err
	}
	if pod != "" {
		return c.cluster.PodEvents(ctx, app, pod)
	}
	if ptype == "" {
		return nil, nil
	}
	for _, name := range bothForms(app, ptype) {
		if list, err := c.cluster.PtypeEvents(ctx, app, name); err != nil || len(list) > 0 {
			return list, err
		}
	}
	return nil, nil
}

// DeletePods ends pods; the cluster makes others in their place.
func (c *Controller) DeletePods(ctx context.Context, actor Actor, app string, pods []string) error {
	if _, err := c.appFor(ctx, actor, app, platform.Admin); err != nil {
		return err
	}
	if len(pods) == 0 {
		return platform.Errorf(platform.Invalid, "pod_ids is a required field")
	}
	return noProcess(c.cluster.DeletePods(ctx, app, pods))
}

// PodsOf lists the running instances of one process type.
func (c *Controller) PodsOf(ctx context.Context, actor Actor, app, ptype string) ([]platform.Pod, error) {
	pods, err := c.Pods(ctx, actor, app)
	return slices.DeleteFunc(pods, func(p platform.Pod) bool { return p.Type != ptype }), err
}

// RestartPods restarts the pod of that name, or all of a process type when
// name is one or empty, and lists what of it then runs. ptype, when given, is
// what the pod has to be of.
func (c *Controller) RestartPods(ctx context.Context, actor Actor, app, ptype, name string) ([]platform.Pod, error) {
	a, err := c.appFor(ctx, actor, app, platform.Member)
	if err != nil {
		return nil, err
	}
	known, err := c.known(ctx, a)
	if err != nil {
		return nil, err
	}
	if ptype == "" && slices.Contains(known, name) {
		ptype, name = name, ""
	}
	if name != "" {
		return c.restartPod(ctx, actor, app, ptype, name)
	}
	var ptypes []string
	if ptype != "" {
		ptypes = []string{ptype}
	}
	if err := c.Restart(ctx, actor, app, ptypes); err != nil {
		return nil, err
	}
	pods, err := c.cluster.Pods(ctx, app)
	return slices.DeleteFunc(pods, func(p platform.Pod) bool { return ptype != "" && p.Type != ptype }), err
}

// restartPod lets one pod end, in whose place the cluster makes another.
func (c *Controller) restartPod(ctx context.Context, actor Actor, app, ptype, name string) ([]platform.Pod, error) {
	pods, err := c.cluster.Pods(ctx, app)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(pods, func(p platform.Pod) bool { return p.Name == name && (ptype == "" || p.Type == ptype) })
	if i < 0 {
		return nil, platform.Errorf(platform.Invalid, "this process not found")
	}
	ptype = pods[i].Type
	if err := noProcess(c.cluster.DeletePods(ctx, app, []string{name})); err != nil {
		return nil, err
	}
	return c.PodsOf(ctx, actor, app, ptype)
}

// CleanPtypes removes process types that the newest release no longer has and
// that are scaled to nothing. It waits for a deploy under way.
func (c *Controller) CleanPtypes(ctx context.Context, actor Actor, app string, ptypes []string) error {
	if _, err := c.appFor(ctx, actor, app, platform.Member); err != nil {
		return err
	}
	if len(ptypes) == 0 {
		return platform.Errorf(platform.Invalid, "ptypes is a required field")
	}
	// First refused, then waited: whoever is mistaken hears so at once.
	if err := c.forgetPtypes(ctx, actor, app, ptypes, false); err != nil {
		return err
	}
	free, err := c.changes.lock(ctx, app)
	if err != nil {
		return err
	}
	defer free()
	if err := c.forgetPtypes(ctx, actor, app, ptypes, false); err != nil {
		return err
	}
	if err := c.cluster.Remove(ctx, app, ptypes); err != nil {
		return err
	}
	return c.forgetPtypes(ctx, actor, app, ptypes, true)
}

// forgetPtypes checks that nothing speaks against removing ptypes and, when
// they are gone, takes them out of the structure.
func (c *Controller) forgetPtypes(ctx context.Context, actor Actor, app string, ptypes []string, gone bool) error {
	a, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return err
	}
	defer unlock()
	current, err := c.currentPtypes(ctx, app)
	if err != nil {
		return err
	}
	structure := maps.Clone(a.Structure)
	for _, p := range ptypes {
		_, had := a.Structure[p]
		switch {
		case slices.Contains(current, p):
			return platform.Errorf(platform.Invalid, "ptype %s should not garbage. The newest release has it.", p)
		case a.Structure[p] > 0:
			return platform.Errorf(platform.Invalid, "ptype %s should not garbage. Scale it to 0 first.", p)
		case !had && !gone:
			return platform.Errorf(platform.Invalid, "process type %s is not included in procfile", p)
		}
		delete(structure, p)
	}
	if !gone || len(structure) == len(a.Structure) {
		return nil
	}
	return c.store.SetStructure(ctx, app, structure, c.now())
}
