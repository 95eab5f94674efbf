package bootstrap

// upgradeSettings say how patient an upgrade is, and how long one goes back.
func upgradeSettings() []Setting {
	return []Setting{
		tunable(Setting{Name: "SLIPWAY_UPGRADE_PATIENCE", Key: "upgrade-patience", Default: "300",
			Meaning: "seconds that each part of the platform has to become well after an upgrade, before the upgrade is taken back"}, wholeBetween(10, 86400)),
		tunable(Setting{Name: "SLIPWAY_UPGRADE_KEEP", Key: "upgrade-keep", Default: "7",
			Meaning: "days for which `slipway upgrade --rollback` can go back to the version before the last upgrade"}, wholeBetween(0, 3650)),
	}
}
