package kube

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func oneOff(name string) control.Job {
	p := webDeployment(2).Processes[0]
	p.Ptype, p.Port, p.Routed, p.Timeout = "run", 0, false, 0
	p.Args = []string{"sh", "-c", "echo 'a b'"}
	return control.Job{Name: name, For: "web", Process: p, Timeout: time.Minute, Expires: 2 * time.Hour}
}

func TestRenderJobGolden(t *testing.T) {
	attached := oneOff("hello-run-x7k2p")
	attached.Stdin, attached.TTY = true, true
	attached.Process.PullSecret = &control.PullSecret{Hostname: "registry.example.com", Username: "acme", Password: "s3cret"}
	for name, c := range map[string]struct {
		job  control.Job
		step bool
	}{
		"run": {attached, false}, "step": {oneOff("hello-run-v2-1-web"), true},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := RenderJob(webDeployment(2), c.job, c.step)
			require.NoError(t, err)
			all := []any{o.Env, o.Job}
			if o.Pull != nil {
				all = append(all, o.Pull)
			}
			var parts []string
			for _, obj := range all {
				body, err := manifest(obj)
				require.NoError(t, err)
				out, err := yaml.Marshal(body)
				require.NoError(t, err)
				parts = append(parts, string(out))
			}
			got := strings.Join(parts, "---\n")
			path := filepath.Join("testdata", name+".golden.yaml")
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
			for _, secret := range []string{"s3cret", "aGk="} {
				job, err := yaml.Marshal(o.Job)
				require.NoError(t, err)
				assert.NotContains(t, string(job), secret, "values are in Secrets only")
			}
		})
	}
}

// playJobs makes a pod for every job that comes. end, unless nil, is how it
// ends.
func (s *simulation) playJobs(end func(pod *corev1.Pod)) {
	s.set(func(a *apiServer) {
		a.after = func(path string, obj object) {
			s.react(path, obj)
			collection, name := split(path)
			if _, made := s.find(helloPods + "/" + name + "-0"); made || !strings.HasSuffix(collection, "/jobs") {
				return
			}
			s.jobPod(name, end)
		}
	})
}

func (s *simulation) jobPod(name string, end func(pod *corev1.Pod)) {
	obj, _ := s.find(helloJobs + "/" + name)
	job := decode[batchv1.Job](s.t, obj)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Labels: with(job.Spec.Template.Labels, labelJob, name), UID: "uid-of-pod",
			OwnerReferences: []metav1.OwnerReference{{Kind: "Job", Name: name, UID: job.UID}},
		},
		Spec: job.Spec.Template.Spec,
		Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{
			Name: job.Spec.Template.Spec.Containers[0].Name, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		}}},
	}
	s.put(helloPods+"/"+name+"-0", pod)
	if end != nil {
		s.endJob(name, end)
	}
}

// endJob lets the pod of a job end and the job with it.
func (s *simulation) endJob(name string, end func(pod *corev1.Pod)) {
	obj, _ := s.find(helloPods + "/" + name + "-0")
	pod := decode[corev1.Pod](s.t, obj)
	end(pod)
	if pod.Status.Phase == corev1.PodPending {
		s.swap(helloPods+"/"+name+"-0", pod)
		return
	}
	cond := batchv1.JobCondition{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}
	if pod.Status.Phase == corev1.PodFailed {
		cond = batchv1.JobCondition{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded"}
	}
	s.swap(helloPods+"/"+name+"-0", pod)
	s.put(helloJobs+"/"+name, &batchv1.Job{Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{cond}}})
}

func exits(code int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodSucceeded
		if code != 0 {
			p.Status.Phase = corev1.PodFailed
		}
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}}
	}
}

func TestStartJob(t *testing.T) {
	s, c := newSimulation(t)
	s.playJobs(nil)
	require.NoError(t, c.EnsureApp(t.Context(), webDeployment(2).App))
	require.NoError(t, c.StartJob(t.Context(), webDeployment(2), oneOff("hello-run-aaaaa")))
	obj, ok := s.find(helloJobs + "/hello-run-aaaaa")
	require.True(t, ok)
	job := decode[batchv1.Job](t, obj)
	obj, ok = s.find(helloSecrets + "/hello-run-aaaaa-env")
	require.True(t, ok)
	env := decode[corev1.Secret](t, obj)
	assert.Equal(t, "hi", string(env.Data["greeting"]))
	require.Len(t, env.OwnerReferences, 1, "the Secret goes with the job")
	assert.Equal(t, job.UID, env.OwnerReferences[0].UID)

	before := s.revision
	require.NoError(t, c.StartJob(t.Context(), webDeployment(2), oneOff("hello-run-aaaaa")))
	assert.Equal(t, before, s.revision, "nothing was written")

	// One that was killed after the job and before the Secret was given to it.
	s.drop(helloSecrets + "/hello-run-aaaaa-env")
	orphan := env.Labels
	s.put(helloSecrets+"/hello-run-bbbbb-env", &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Labels: orphan, CreationTimestamp: metav1.NewTime(time.Now().Add(-time.Hour))}})
	s.put(helloSecrets+"/hello-run-ccccc-env", &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Labels: orphan, CreationTimestamp: metav1.Now()}})
	require.NoError(t, c.StartJob(t.Context(), webDeployment(2), oneOff("hello-run-aaaaa")))
	assert.Equal(t, []string{"hello-run-ccccc-env"}, s.names(helloSecrets), "what nobody will ever take is swept away")
}

func TestStartJobRefused(t *testing.T) {
	s, c := newSimulation(t)
	s.set(func(a *apiServer) {
		a.fail = func(r *http.Request) int {
			if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/jobs/") {
				return http.StatusServiceUnavailable
			}
			return 0
		}
	})
	err := c.StartJob(t.Context(), webDeployment(2), oneOff("hello-run-aaaaa"))
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
}

func TestRunStep(t *testing.T) {
	s, c := newSimulation(t)
	s.playJobs(nil)
	done := make(chan error, 1)
	go func() { done <- c.RunStep(t.Context(), webDeployment(2), oneOff("hello-run-v2-1-web")) }()
	require.Eventually(t, func() bool { _, ok := s.find(helloPods + "/hello-run-v2-1-web-0"); return ok }, 10*time.Second, time.Millisecond)
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	s.endJob("hello-run-v2-1-web", exits(0))
	require.NoError(t, <-done)
	before := s.revision
	require.NoError(t, c.RunStep(t.Context(), webDeployment(2), oneOff("hello-run-v2-1-web")), "taken up again")
	assert.Equal(t, before, s.revision, "it is not run twice")

	require.NoError(t, c.EndSteps(t.Context(), "hello"))
	obj, _ := s.find(helloJobs + "/hello-run-v2-1-web")
	assert.EqualValues(t, platform.MaxRunExpires, *decode[batchv1.Job](t, obj).Spec.TTLSecondsAfterFinished)

	s.playJobs(exits(0))
	require.NoError(t, c.RunStep(t.Context(), webDeployment(3), oneOff("hello-run-v3-1-web")))
	assert.Equal(t, []string{"hello-run-v3-1-web"}, s.names(helloJobs), "those of other releases are gone")
}

func TestRunStepThatFails(t *testing.T) {
	for name, tc := range map[string]struct {
		end    func(*corev1.Pod)
		kind   string
		reason string
	}{
		"code": {exits(3), kindRun, "the run step ended with code 3; its last output:\nno such table"},
		"memory": {func(p *corev1.Pod) {
			exits(137)(p)
			p.Status.ContainerStatuses[0].State.Terminated.Reason = "OOMKilled"
		}, kindRun, "more memory than its plan allows"},
		"start": {func(p *corev1.Pod) {
			exits(128)(p)
			p.Status.ContainerStatuses[0].State.Terminated.Reason = "StartError"
			p.Status.ContainerStatuses[0].State.Terminated.Message = "no such file"
		}, kindRun, "cannot be started: no such file"},
		"time": {func(p *corev1.Pod) {
			exits(143)(p)
			p.Status.Reason = "DeadlineExceeded"
		}, kindRunTimeout, "the run step did not end within 1m0s; its last output:\nno such table"},
		"evicted": {func(p *corev1.Pod) {
			p.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "the node was low on memory"}
		}, kindRun, "the run step was ended: the node was low on memory"},
		"image": {waiting("ImagePullBackOff", "not found"), "ImagePullBackOff", "cannot be pulled"},
		"name":  {waiting("InvalidImageName", "bad"), "InvalidImageName", "no valid name"},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := newSimulation(t)
			s.logs[""] = "no such table\n"
			s.playJobs(tc.end)
			err := c.RunStep(t.Context(), webDeployment(2), oneOff("hello-run-v2-1-web"))
			var failed *control.RolloutError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, tc.kind, failed.Kind)
			assert.Contains(t, failed.Reason, tc.reason)
			assert.Equal(t, "web", failed.Ptype)
			assert.Equal(t, "hello-run-v2-1-web-0", failed.Pod)
			assert.True(t, failed.Restored, "nothing was changed")
			_, there := s.find(helloJobs + "/hello-run-v2-1-web")
			assert.Equal(t, strings.HasPrefix(failed.Kind, "Run"), there, "one that never began must not begin later")
		})
	}
}

func waiting(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodPending
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
}

// Jobs that run beside a rollout are none of its pods.
func TestJobsAreNoPodsOfARollout(t *testing.T) {
	s, c := newSimulation(t)
	s.playJobs(exits(1))
	d := webDeployment(2)
	d.Processes[0].Ptype, d.Processes[0].Routed = "run", false
	require.NoError(t, c.EnsureApp(t.Context(), d.App))
	require.NoError(t, c.StartJob(t.Context(), d, oneOff("hello-run-aaaaa")))
	roll := newRollout(ProcessObjects{Ptype: "run"}, d, time.Minute, time.Now(), c.patience)
	pods, _, err := c.pods("hello").list(t.Context(), c.pods("hello").opts)
	require.NoError(t, err)
	require.Len(t, pods, 1)
	assert.Empty(t, roll.mine(pods))
}

func TestRunStepWhenTheClusterIsAway(t *testing.T) {
	s, c := newSimulation(t)
	s.playJobs(nil)
	s.set(func(a *apiServer) {
		a.fail = func(r *http.Request) int {
			if strings.HasSuffix(r.URL.Path, "/jobs") && r.Method == http.MethodDelete {
				return http.StatusServiceUnavailable
			}
			return 0
		}
	})
	err := c.RunStep(t.Context(), webDeployment(2), oneOff("hello-run-v2-1-web"))
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
	var failed *control.RolloutError
	assert.False(t, errors.As(err, &failed))
}
