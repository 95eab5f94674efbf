package kube

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const helloWeb = helloDeployments + "/hello-web"

func TestFirstDeploy(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))

	var order []string
	for _, r := range s.requests {
		if path, ok := strings.CutPrefix(r, "PATCH "); ok {
			order = append(order, path)
		}
	}
	assert.Equal(t, []string{
		"/api/v1/namespaces/hello", helloPolicies + "/hello", helloSecrets + "/hello-web-v2-env",
		helloWeb, helloBudgets + "/hello-web", helloServices + "/hello", helloRoutes + "/hello", helloWeb,
	}, order, "the last one marks the version as serving")
	assert.Equal(t, "v2", s.deployment(helloWeb).Annotations[annotationServing])
}

func TestNextDeployReplacesTheOldAndPrunes(t *testing.T) {
	s, c := newSimulation(t)
	first := webDeployment(2)
	first.Processes[0].PullSecret = &control.PullSecret{Hostname: "r", Username: "u", Password: "p"}
	first.Processes[0].Healthcheck = map[string]any{"livenessProbe": map[string]any{"tcpSocket": map[string]any{"port": 5000}}}
	require.NoError(t, c.Apply(t.Context(), first))
	require.NoError(t, c.Apply(t.Context(), webDeployment(3)))

	d := s.deployment(helloWeb)
	assert.Equal(t, "v3", d.Annotations[annotationServing])
	assert.Equal(t, "v3", d.Spec.Template.Labels[labelVersion])
	assert.Nil(t, d.Spec.Template.Spec.Containers[0].LivenessProbe, "what is no longer set goes away")
	assert.Equal(t, []string{"hello-web-v3-env"}, s.names(helloSecrets))
}

func TestHidingAnAppRemovesItsRoute(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	hidden := webDeployment(3)
	hidden.Host, hidden.Processes[0].Routed, hidden.Exposure.Routes = "", false, nil
	require.NoError(t, c.Apply(t.Context(), hidden))
	assert.Empty(t, s.names(helloRoutes))
	assert.Equal(t, []string{"hello"}, s.names(helloServices))
	require.NoError(t, c.Apply(t.Context(), hidden), "again, with nothing to remove")
}

// Each way to fail: the error says what is wrong, what served before serves
// on and is what the Deployment says, and nothing of the failed one is left.
func TestFailures(t *testing.T) {
	for name, f := range map[string]struct {
		fate func(*corev1.Pod)
		kind string
		says []string
	}{
		"image":      {waitingWith("ImagePullBackOff", "Back-off pulling image: not found"), "ImagePullBackOff", []string{"hello:v1.0.0", "not found", "check its name"}},
		"image name": {waitingWith("InvalidImageName", "couldn't parse"), "InvalidImageName", []string{"no valid name", "couldn't parse"}},
		"never pull": {waitingWith("ErrImageNeverPull", "not present"), "ErrImageNeverPull", []string{"not present"}},
		"crash":      {crashing(3, "Error"), "CrashLoopBackOff", []string{"code 3", "panic: no database"}},
		"ends well":  {crashing(0, "Completed"), "CrashLoopBackOff", []string{"ends by itself", "keep running"}},
		"memory":     {crashing(137, "OOMKilled"), "CrashLoopBackOff", []string{"more memory than its plan"}},
		"config":     {waitingWith("CreateContainerConfigError", "couldn't find key"), "CreateContainerConfigError", []string{"couldn't find key"}},
		"schedule":   {unschedulable, "Unschedulable", []string{"Insufficient memory", "smaller plan"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := newSimulation(t)
			s.logs["true"] = "starting\npanic: no database\n"
			require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
			template := s.deployment(helloWeb).Spec.Template
			s.fate = func(_, version string, p *corev1.Pod) {
				if version == "v3" {
					f.fate(p)
				}
			}
			err := c.Apply(t.Context(), webDeployment(3))
			var failed *control.RolloutError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, f.kind, failed.Kind)
			assert.Equal(t, "web", failed.Ptype)
			assert.True(t, failed.Restored)
			assert.Equal(t, "hello-web-v3", failed.Pod)
			for _, word := range f.says {
				assert.Contains(t, failed.Reason, word)
			}
			d := s.deployment(helloWeb)
			assert.Equal(t, template, d.Spec.Template)
			assert.Equal(t, "v2", d.Annotations[annotationServing])
			assert.Equal(t, []string{"hello-web-v2-env"}, s.names(helloSecrets))
			assert.Equal(t, []string{"hello-web-v2"}, s.names(helloPods))
			assert.Equal(t, []string{"hello"}, s.names(helloRoutes))

			require.NoError(t, c.Apply(t.Context(), webDeployment(4)), "the next release is none the worse")
		})
	}
}

func TestFailedFirstDeployLeavesNothing(t *testing.T) {
	s, c := newSimulation(t)
	s.fate = func(_, _ string, p *corev1.Pod) { waitingWith("ImagePullBackOff", "not found")(p) }
	var failed *control.RolloutError
	require.ErrorAs(t, c.Apply(t.Context(), webDeployment(2)), &failed)
	assert.Empty(t, s.names(helloDeployments))
	assert.Empty(t, s.names(helloSecrets))
	assert.Empty(t, s.names(helloServices))
	assert.Empty(t, s.names(helloRoutes))
}

func TestRouteThatIsRefused(t *testing.T) {
	s, c := newSimulation(t)
	c.patience.route = 0
	s.route = func(cond *metav1.Condition) {
		cond.Status, cond.Reason, cond.Message = metav1.ConditionFalse, "NoMatchingListenerHostname", "no listener"
	}
	var failed *control.RolloutError
	require.ErrorAs(t, c.Apply(t.Context(), webDeployment(2)), &failed)
	assert.Equal(t, "RouteNotAccepted", failed.Kind)
	assert.Contains(t, failed.Reason, "hello.slipway.localhost")
	assert.Empty(t, s.names(helloDeployments))
	assert.Empty(t, s.names(helloRoutes))
}

func TestNoGatewayInstalled(t *testing.T) {
	s, c := newSimulation(t)
	s.set(func(s *apiServer) {
		s.fail = func(r *http.Request) int {
			if strings.Contains(r.URL.Path, "httproutes") {
				return http.StatusNotFound
			}
			return 0
		}
	})
	err := c.Apply(t.Context(), webDeployment(2))
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
	assert.Contains(t, err.Error(), "gateway is not installed")
}

// Process types of one release belong together: one that fails takes back the
// ones that were ready.
func TestOneProcessTypeFailsForAll(t *testing.T) {
	s, c := newSimulation(t)
	two := func(n int) control.Deployment {
		d := webDeployment(n)
		d.Processes = append(d.Processes, workerProcess())
		return d
	}
	require.NoError(t, c.Apply(t.Context(), two(2)))
	s.fate = func(ptype, version string, p *corev1.Pod) {
		if ptype == "worker" && version == "v3" {
			crashing(1, "Error")(p)
		}
	}
	var failed *control.RolloutError
	require.ErrorAs(t, c.Apply(t.Context(), two(3)), &failed)
	assert.Equal(t, "worker", failed.Ptype)
	for _, name := range []string{"hello-web", "hello-worker"} {
		assert.Equal(t, "v2", s.deployment(helloDeployments + "/" + name).Spec.Template.Labels[labelVersion], name)
	}
	assert.Equal(t, []string{"hello-web-v2-env", "hello-worker-v2-env", "private-registry-worker-v2"}, s.names(helloSecrets))
}

// What is refused by the API server is taken back like what fails later.
func TestRefusedDeployment(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	s.set(func(s *apiServer) {
		s.fail = func(r *http.Request) int {
			if r.Method == http.MethodPatch && r.URL.Path == helloWeb {
				return http.StatusUnprocessableEntity
			}
			return 0
		}
	})
	err := c.Apply(t.Context(), webDeployment(3))
	assert.Equal(t, platform.Invalid, platform.CodeOf(err))
	assert.Equal(t, "v2", s.deployment(helloWeb).Spec.Template.Labels[labelVersion])
	assert.Equal(t, []string{"hello-web-v2-env"}, s.names(helloSecrets))
}

// late is a clock that stands until the pod is there, and then is an hour
// later each time it is asked.
func late(s *simulation, pod string) func() time.Time {
	var calls atomic.Int64
	return func() time.Time {
		if _, there := s.find(helloPods + "/" + pod); there {
			calls.Add(1)
		}
		return time.Unix(0, 0).Add(time.Duration(calls.Load()) * time.Hour)
	}
}

func TestDeadline(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	s.fate = func(_, version string, p *corev1.Pod) {
		if version == "v3" {
			notReady(p)
		}
	}
	s.logs[""] = "listening on 8080\n"
	s.put(helloEvents+"/e1", &corev1.Event{
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "hello-web-v3"}, Reason: "Unhealthy",
		Message: "Readiness probe failed: dial tcp 10.42.0.9:5000: connect: connection refused",
	})
	c.now = late(s, "hello-web-v3")
	var failed *control.RolloutError
	require.ErrorAs(t, c.Apply(t.Context(), webDeployment(3)), &failed)
	assert.Equal(t, "Timeout", failed.Kind)
	assert.Equal(t, "hello-web-v3", failed.Pod)
	for _, word := range []string{"0 of 1 pods ready after 2m0s", "connection refused", "PORT, which is 5000", "listening on 8080"} {
		assert.Contains(t, failed.Reason, word)
	}
	assert.Equal(t, "v2", s.deployment(helloWeb).Spec.Template.Labels[labelVersion])
}

func TestSlowPullGetsMoreTime(t *testing.T) {
	s, c := newSimulation(t)
	c.patience.pulling = 90 * time.Minute
	s.fate = func(_, _ string, p *corev1.Pod) { waitingWith("ContainerCreating", "")(p) }
	s.put(helloEvents+"/e1", &corev1.Event{
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "hello-web-v2"}, Reason: "Pulling",
	})
	c.now = late(s, "hello-web-v2")
	s.set(func(a *apiServer) {
		a.fail = func(r *http.Request) int {
			if strings.HasSuffix(r.URL.Path, "/events") { // asked at the deadline; meanwhile the image arrives
				s.settle()
				s.put(helloWeb, object{"status": object{"replicas": 1, "availableReplicas": 1}})
			}
			return 0
		}
	})
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
}

func TestClusterAwayBeforeTheDeploy(t *testing.T) {
	s, c := newSimulation(t)
	s.http.Close()
	err := c.Apply(t.Context(), webDeployment(2))
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
	_, err = c.NamespaceExists(t.Context(), "hello")
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
	_, err = c.Pods(t.Context(), "hello")
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
}

// waitFor applies n in the background, with a pod that stays unready until
// the test lets it, and calls back once the deploy waits for it.
func waitFor(t *testing.T, ctx context.Context, s *simulation, c *Cluster, n int) (result chan error, comeUp func()) {
	t.Helper()
	waiting := make(chan struct{})
	s.fate = func(_, version string, p *corev1.Pod) {
		if version == versionName(n) {
			notReady(p)
			close(waiting)
		}
	}
	result = make(chan error, 1)
	go func() { result <- c.Apply(ctx, webDeployment(n)) }()
	<-waiting
	s.settle()
	return result, func() {
		d := s.deployment(helloWeb)
		d.Status.Replicas, d.Status.AvailableReplicas, d.Status.UpdatedReplicas = 1, 1, 1
		d.Status.ObservedGeneration = d.Generation
		s.put(helloWeb, d)
	}
}

func TestWatchesAreTakenUpAgain(t *testing.T) {
	for name, trouble := range map[string]func(*simulation){
		"closed":  func(s *simulation) { s.cut(false) },
		"expired": func(s *simulation) { s.cut(true) },
		"away for a while": func(s *simulation) {
			var left atomic.Int64
			left.Store(3)
			s.set(func(s *apiServer) {
				s.fail = func(r *http.Request) int {
					if r.URL.Query().Get("watch") != "" && left.Add(-1) >= 0 {
						return http.StatusServiceUnavailable
					}
					return 0
				}
			})
			s.cut(true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := newSimulation(t)
			result, comeUp := waitFor(t, t.Context(), s, c, 2)
			trouble(s)
			comeUp()
			require.NoError(t, <-result)
		})
	}
}

// A cluster that is away when the deadline passes says nothing about the
// release: it is not taken back, and applying again finds it ready.
func TestClusterAwayAtTheDeadline(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	c.now = late(s, "hello-web-v3")
	s.fate = func(_, version string, p *corev1.Pod) {
		if version == "v3" {
			notReady(p)
			s.set(func(s *apiServer) {
				s.fail = func(r *http.Request) int {
					if r.Method == http.MethodGet {
						return http.StatusServiceUnavailable
					}
					return 0
				}
			})
		}
	}
	err := c.Apply(t.Context(), webDeployment(3))
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
	assert.Equal(t, "v3", s.deployment(helloWeb).Spec.Template.Labels[labelVersion])

	s.set(func(s *apiServer) { s.fail = nil })
	s.fate = nil
	s.put(helloWeb, object{"status": object{"replicas": 1, "availableReplicas": 1}})
	require.NoError(t, connect(t, s.apiServer).Apply(t.Context(), webDeployment(3)))
}

func TestCancelStopsTheWaitAndTakesNothingBack(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	ctx, cancel := context.WithCancel(t.Context())
	result, _ := waitFor(t, ctx, s, c, 3)
	cancel()
	assert.ErrorIs(t, <-result, context.Canceled)
	assert.Equal(t, "v3", s.deployment(helloWeb).Spec.Template.Labels[labelVersion])
}

// The controller was killed in the middle of v3 and knows nothing any more
// when v3 turns out to crash: v2 comes back all the same.
func TestFailureAfterARestartOfTheController(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	ctx, cancel := context.WithCancel(t.Context())
	result, _ := waitFor(t, ctx, s, c, 3)
	cancel()
	<-result
	obj, _ := s.find(helloPods + "/hello-web-v3")
	pod := decode[corev1.Pod](t, obj)
	crashing(1, "Error")(pod)
	s.put(helloPods+"/hello-web-v3", pod)
	s.fate = nil

	var failed *control.RolloutError
	require.ErrorAs(t, connect(t, s.apiServer).Apply(t.Context(), webDeployment(3)), &failed)
	assert.Equal(t, "v2", s.deployment(helloWeb).Spec.Template.Labels[labelVersion])
	assert.Equal(t, []string{"hello-web-v2-env"}, s.names(helloSecrets))
}

func TestSecretOfTheSameVersionIsReplaced(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	again := webDeployment(2)
	again.Processes[0].Env["NEW"] = "x"
	require.NoError(t, c.Apply(t.Context(), again))
	obj, _ := s.find(helloSecrets + "/hello-web-v2-env")
	assert.Equal(t, base64.StdEncoding.EncodeToString([]byte("x")), obj["data"].(object)["new"])
}

func TestApplyRefusesANamespaceThatIsNotOurs(t *testing.T) {
	s, c := newSimulation(t)
	s.put("/api/v1/namespaces/hello", &corev1.Namespace{})
	err := c.Apply(t.Context(), webDeployment(2))
	assert.Equal(t, platform.Conflict, platform.CodeOf(err))
	assert.False(t, slices.ContainsFunc(s.requests, func(r string) bool { return strings.HasPrefix(r, "PATCH") }))
}
