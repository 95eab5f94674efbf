package control

// NewApp is what CreateApp needs. Both may be empty: then a name is made up,
// and the actor's own workspace is taken.
type NewApp struct{ ID, Workspace string }

// NewBuild is what Deploy needs; Image and Stack are required.
type NewBuild struct {
	Image      string
	Stack      string
	SHA        string // git commit, for builds from source
	Dockerfile string
	Procfile   map[string]string
	Dryccfile  []byte // JSON of the .drycc directory

	run         string // the UUID of the run that it comes from; empty: none
	ownRegistry bool   // made by the platform's builder: a loopback registry is the platform's own
}

// ConfigChange is a partial config. A nil value or inner map takes away what
// is there; what is not named stays.
type ConfigChange struct {
	Values           []ValueChange
	ValuesRefs       map[string][]string           // process type → groups to add
	Limits           map[string]*string            // process type → plan
	Tags             map[string]map[string]*string // process type → label → value
	Registry         map[string]map[string]*string // process type → field → value
	Healthcheck      map[string]map[string]any     // process type → probe → probe, nil takes it away
	Lifecycle        map[string]map[string]any
	TerminationGrace map[string]*string // process type → seconds
	// Memory and CPU are bounds as the guide's older clients set them, such as
	// 512M and 500m; they choose the smallest plan that holds them. Nil goes
	// back to the default plan's.
	Memory, CPU map[string]*string
}

// ValueChange sets one variable, or unsets it when Value is nil. Exactly one
// of Group and Ptype is given.
type ValueChange struct {
	Name  string
	Value *string
	Group string
	Ptype string
}

// SettingsChange holds what to change; nil fields stay. A nil member of a map
// takes that entry away.
type SettingsChange struct {
	Routable     *bool
	Autodeploy   *bool
	Autorollback *bool
	Autoscale    map[string]map[string]int // process type → min, max, cpu_percent
	Label        map[string]*string
}
