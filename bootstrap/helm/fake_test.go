package helm

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"

	helmkube "helm.sh/helm/v3/pkg/kube"
	kubefake "helm.sh/helm/v3/pkg/kube/fake"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/resource"
	restfake "k8s.io/client-go/rest/fake"
)

// fakeKube is Helm's side of the cluster: it keeps the objects it is given and
// fails as told.
type fakeKube struct {
	kubefake.FailingKubeClient
	entered chan struct{} // receives when a write begins; nil: nobody watches
	held    chan struct{} // a write goes on when this is closed; nil: at once

	mu               sync.Mutex
	objects          map[string][]byte // JSON by path
	creates, updates int
}

func newFakeKube() *fakeKube {
	return &fakeKube{
		FailingKubeClient: kubefake.FailingKubeClient{PrintingKubeClient: kubefake.PrintingKubeClient{Out: io.Discard}},
		objects:           map[string][]byte{},
	}
}

func (f *fakeKube) Build(r io.Reader, _ bool) (helmkube.ResourceList, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	objects, err := parse(string(text))
	if err != nil {
		return nil, err
	}
	var list helmkube.ResourceList
	for _, o := range objects {
		u := &unstructured.Unstructured{Object: o}
		gvk := u.GroupVersionKind()
		scope := meta.RESTScopeNamespace
		if u.GetNamespace() == "" {
			scope = meta.RESTScopeRoot
		}
		list.Append(&resource.Info{
			Client: &restfake.RESTClient{
				NegotiatedSerializer: resource.UnstructuredPlusDefaultContentConfig().NegotiatedSerializer,
				GroupVersion:         gvk.GroupVersion(),
				Client:               restfake.CreateHTTPClient(f.answer),
			},
			Mapping: &meta.RESTMapping{
				Resource:         schema.GroupVersionResource{Group: gvk.Group, Version: gvk.Version, Resource: strings.ToLower(gvk.Kind)},
				GroupVersionKind: gvk,
				Scope:            scope,
			},
			Namespace: u.GetNamespace(), Name: u.GetName(), Object: u,
		})
	}
	return list, nil
}

func (f *fakeKube) answer(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	resp := &http.Response{Header: http.Header{"Content-Type": {"application/json"}}, Request: req}
	body, found := f.objects[req.URL.Path]
	resp.StatusCode = http.StatusOK
	if !found {
		resp.StatusCode = http.StatusNotFound
		body = []byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func pathOf(info *resource.Info) string {
	path := "/" + info.Mapping.Resource.Resource + "/" + info.Name
	if info.Namespace != "" {
		path = "/namespaces/" + info.Namespace + path
	}
	return path
}

func (f *fakeKube) store(list helmkube.ResourceList) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, info := range list {
		body, err := json.Marshal(info.Object)
		if err != nil {
			return err
		}
		f.objects[pathOf(info)] = body
	}
	return nil
}

// remove takes away the object whose path ends so.
func (f *fakeKube) remove(suffix string) (removed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path := range f.objects {
		if strings.HasSuffix(path, suffix) {
			delete(f.objects, path)
			removed++
		}
	}
	return removed
}

func (f *fakeKube) hold() {
	if f.entered != nil {
		f.entered <- struct{}{}
	}
	if f.held != nil {
		<-f.held
	}
}

func (f *fakeKube) Create(list helmkube.ResourceList) (*helmkube.Result, error) {
	f.mu.Lock()
	f.creates++
	f.mu.Unlock()
	f.hold()
	if f.CreateError != nil {
		return nil, f.CreateError
	}
	return &helmkube.Result{Created: list}, f.store(list)
}

func (f *fakeKube) Update(_, target helmkube.ResourceList, _ bool) (*helmkube.Result, error) {
	f.mu.Lock()
	f.updates++
	f.mu.Unlock()
	f.hold()
	if f.UpdateError != nil {
		return &helmkube.Result{}, f.UpdateError
	}
	return &helmkube.Result{Updated: target}, f.store(target)
}

func (f *fakeKube) Delete(list helmkube.ResourceList) (*helmkube.Result, []error) {
	for _, info := range list {
		f.remove(pathOf(info))
	}
	return &helmkube.Result{Deleted: list}, nil
}
