package agent

import (
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/identity"
)

func TestDoctorNamesWhoElseRemovesImages(t *testing.T) {
	usual := identity.Cleaning{Every: 30 * time.Minute, Images: 5, MinAge: time.Hour}
	untracked, off := usual, usual
	untracked.Untracked = true
	off.Off, off.Why, off.Untracked = true, "ECS_IMAGE_PULL_BEHAVIOR", true
	for name, c := range map[string]struct {
		cleaning      identity.Cleaning
		level, says   string
		cureMustSay   string
		mustNotBeSaid string
	}{
		"as it is installed":    {usual, checkWarn, "5 every 30m0s, 1h0m0s after their pull", "ECS_DISABLE_IMAGE_CLEANUP=true", "by build date"},
		"images of others too":  {untracked, checkWarn, "did not pull", "ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP", "leaves images alone"},
		"off, whatever else is": {off, checkOK, "leaves images alone: ECS_IMAGE_PULL_BEHAVIOR", "", "did not pull"},
	} {
		var d diagnosis
		checkCleaning(c.cleaning, &d)
		if len(d) != 1 || d[0].Level != c.level || d[0].Subject != "ecs agent" ||
			!strings.Contains(d[0].Message, c.says) || !strings.Contains(d[0].Cure, c.cureMustSay) || strings.Contains(d[0].Message, c.mustNotBeSaid) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
