package flannel

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/stretchr/testify/require"
)

const k3sConf = `{"cniVersion":"1.0.0","name":"cbr0","type":"flannel",
	"delegate":{"hairpinMode":true,"forceAddress":true,"isDefaultGateway":true}}`

func TestBridgeConfiguration(t *testing.T) {
	tests := map[string]struct {
		env     string
		want    string
		wantErr string
	}{
		"ipv4": {
			env:  "FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n",
			want: `{"cniVersion":"1.0.0","forceAddress":true,"hairpinMode":true,"ipMasq":false,"ipam":{"ranges":[[{"subnet":"10.42.0.0/24"}]],"routes":[{"dst":"10.42.0.0/16"}],"type":"host-local"},"isDefaultGateway":true,"isGateway":true,"mtu":1450,"name":"cbr0","type":"bridge"}`,
		},
		"dual stack": {
			env:  "FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.3.1/24\nFLANNEL_IPV6_NETWORK=fd00:42::/56\nFLANNEL_IPV6_SUBNET=fd00:42:0:3::1/64\nFLANNEL_MTU=1500\nFLANNEL_IPMASQ=false\n",
			want: `{"cniVersion":"1.0.0","forceAddress":true,"hairpinMode":true,"ipMasq":true,"ipam":{"ranges":[[{"subnet":"10.42.3.0/24"}],[{"subnet":"fd00:42:0:3::/64"}]],"routes":[{"dst":"10.42.0.0/16"},{"dst":"fd00:42::/56"}],"type":"host-local"},"isDefaultGateway":true,"isGateway":true,"mtu":1500,"name":"cbr0","type":"bridge"}`,
		},
		"incomplete":   {env: "FLANNEL_MTU=1450\n", wantErr: "incomplete"},
		"broken mtu":   {env: "FLANNEL_MTU=many\n", wantErr: "FLANNEL_MTU"},
		"broken range": {env: "FLANNEL_SUBNET=10.42.0.1\n", wantErr: "FLANNEL_SUBNET"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "subnet.env")
			require.NoError(t, os.WriteFile(path, []byte(tt.env), 0o600))
			s, err := readSubnet(path)
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			c, err := parse([]byte(k3sConf))
			require.NoError(t, err)
			got, err := json.Marshal(c.bridge(s))
			require.NoError(t, err)
			require.Equal(t, tt.want, string(got))
		})
	}
}

func TestMissingSubnetFileNamesTheCause(t *testing.T) {
	_, err := readSubnet(filepath.Join(t.TempDir(), "none"))
	require.ErrorContains(t, err, "flannel has not started yet")
}

func TestDeleteOfAnUnknownContainerIsFine(t *testing.T) {
	conf := `{"cniVersion":"1.0.0","name":"cbr0","type":"flannel","dataDir":"` + t.TempDir() + `"}`
	require.NoError(t, del(&skel.CmdArgs{ContainerID: "gone", StdinData: []byte(conf)}))
}

func TestAnEmptySavedConfigurationIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	env, state := filepath.Join(dir, "subnet.env"), filepath.Join(dir, "container")
	c, err := parse([]byte(k3sConf))
	require.NoError(t, err)
	c.SubnetFile = env
	require.NoError(t, os.WriteFile(state, nil, 0o600)) // as a loss of power leaves it
	_, err = c.saved(state)
	require.ErrorContains(t, err, "flannel has not started yet")

	require.NoError(t, os.WriteFile(env, []byte("FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.0.1/24\nFLANNEL_MTU=1450\n"), 0o600))
	got, err := c.saved(state)
	require.NoError(t, err)
	require.Contains(t, string(got), `"ranges":[[{"subnet":"10.42.0.0/24"}]]`)

	require.NoError(t, save(state, []byte(`{"type":"bridge","name":"before"}`)))
	got, err = c.saved(state)
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"bridge","name":"before"}`, string(got))
}
