package platform

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVolumeSize(t *testing.T) {
	for in, want := range map[string]int64{
		"1M": 1 << 20, "200m": 200 << 20, "2G": 2 << 30, "16384g": 16384 << 30, "16777216M": 16384 << 30,
	} {
		kept, err := ParseVolumeSize(in)
		require.NoError(t, err, in)
		assert.Equal(t, strings.ToUpper(in), kept)
		assert.Equal(t, want, VolumeBytes(kept), in)
	}
	for _, in := range []string{
		"", "G", "0G", "01G", "-1G", "+1G", "1", "1.5G", "1T", "1GB", "1Gi", " 1G", "1G ", "1_0G", "16385G", "16777217M", "99999999999999999999G", "1ɢ",
	} {
		_, err := ParseVolumeSize(in)
		assert.Equal(t, Invalid, CodeOf(err), in)
	}
}

func TestVolumePath(t *testing.T) {
	for in, want := range map[string]string{
		"/data": "/data", "/data/": "/data", "/data/web": "/data/web", "/a-b/c_d/0": "/a-b/c_d/0", "/_x": "/_x",
	} {
		path, err := ParseVolumePath(in)
		require.NoError(t, err, in)
		assert.Equal(t, want, path)
	}
	for _, in := range []string{
		"", "/", "//", "data", "data/", "/data//", "/a//b", "/-a", "/a/-b", "/a/../b", "/.", "/a.b", "/a b", "/ä", "/a\x00", "/" + strings.Repeat("a", 1024),
	} {
		_, err := ParseVolumePath(in)
		assert.Equal(t, Invalid, CodeOf(err), in)
	}
}

func TestVolumeName(t *testing.T) {
	for _, name := range []string{"data", "my-volume", "0ab", strings.Repeat("a", 63)} {
		assert.NoError(t, ValidateVolumeName(name), name)
	}
	for _, name := range []string{"", "ab", "-ab", "ab-", "a--b", "My", "a_b", "a.b", "äbc", strings.Repeat("a", 64)} {
		var e *Error
		require.ErrorAs(t, ValidateVolumeName(name), &e, name)
		assert.Equal(t, "name", e.Field)
	}
}

func TestVolumeType(t *testing.T) {
	nfs := map[string]string{"server": "10.0.0.1", "path": "/x"}
	oss := map[string]string{"server": "https://s3", "bucket": "b", "access_key": "a", "secret_key": "s"}
	assert.NoError(t, ValidateVolumeType(VolumeCSI, nil))
	assert.NoError(t, ValidateVolumeType(VolumeNFS, nfs))
	assert.NoError(t, ValidateVolumeType(VolumeOSS, oss))
	with := func(m map[string]string, name, value string) map[string]string {
		out := map[string]string{name: value}
		for k, v := range m {
			if k != name {
				out[k] = v
			}
		}
		return out
	}
	for _, tc := range []struct {
		t     VolumeType
		p     map[string]string
		field string
	}{
		{"tape", nil, "type"},
		{VolumeCSI, nfs, "parameters"},
		{VolumeNFS, nil, "parameters"},
		{VolumeNFS, map[string]string{"server": "s"}, "parameters"},
		{VolumeNFS, with(nfs, "path", "x"), "parameters"},
		{VolumeNFS, with(nfs, "server", "-oexec"), "parameters"},
		{VolumeNFS, with(nfs, "server", "a,b"), "parameters"},
		{VolumeNFS, with(nfs, "path", "/a\nb"), "parameters"},
		{VolumeNFS, with(nfs, "bucket", "b"), "parameters"},
		{VolumeOSS, with(oss, "secret_key", ""), "parameters"},
	} {
		var e *Error
		require.ErrorAs(t, ValidateVolumeType(tc.t, tc.p), &e, tc)
		assert.Equal(t, tc.field, e.Field, tc)
	}
}

func TestMountsOf(t *testing.T) {
	volumes := []Volume{
		{Name: "b", Path: map[string]string{"web": "/z", "worker": "/a"}},
		{Name: "a", Path: map[string]string{"web": "/b"}},
		{Name: "gone", Path: map[string]string{"web": "/c"}, Deleting: true},
	}
	assert.Equal(t, []Mount{{"a", "/b"}, {"b", "/z"}}, MountsOf(volumes, "web"))
	assert.Equal(t, []Mount{{"b", "/a"}}, MountsOf(volumes, "worker"))
	assert.Empty(t, MountsOf(volumes, "clock"))
}

func TestPlan(t *testing.T) {
	service, plan, err := SplitPlan("redis:standard-128")
	require.NoError(t, err)
	assert.Equal(t, "redis", service)
	assert.Equal(t, "standard-128", plan)
	for _, bad := range []string{"", "redis", "redis:", ":small", "a:b:c"} {
		_, _, err := SplitPlan(bad)
		assert.Equal(t, Invalid, CodeOf(err), bad)
	}
	many := map[string]string{}
	for i := range 65 {
		many[strings.Repeat("x", i+1)] = ""
	}
	assert.NoError(t, ValidateOptions(map[string]string{"a": "b"}))
	for _, bad := range []map[string]string{many, {"": "x"}, {"a": strings.Repeat("x", 17<<10)}} {
		assert.Equal(t, Invalid, CodeOf(ValidateOptions(bad)))
	}
}
