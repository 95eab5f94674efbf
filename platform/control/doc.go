// Package control holds the verbs of the platform: Deploy, ChangeConfig,
// Scale, Rollback and the rest, with who may do what, and the queue that turns
// recorded releases into running processes.
//
// Every change is record, act, record: a release is written as pending before
// the cluster is touched, then deployed, then written as succeed or crashed.
// What was recorded and not finished is taken up again by the next Run, so the
// process may be killed at any point.
//
//	verb ──► Store (one transaction) ──► reply
//	             │
//	             └► queue (one entry an app) ──► worker ──► Cluster ──► Store
//
// Dialects call the verbs; Store, Cluster and Identity are the ports.
package control
