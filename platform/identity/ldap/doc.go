// Package ldap checks passwords with an LDAP directory, such as OpenLDAP or
// Active Directory:
//
//	bind as the platform ──► search the user ──► bind as the user ──► read the groups
//
// Each check has a connection of its own, which is never used for anything
// else: a connection that is bound as somebody can't be mistaken for another's.
package ldap
