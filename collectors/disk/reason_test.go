package disk_test

import (
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/disk"
)

func TestAReasonIsASentenceWithNumbers(t *testing.T) {
	bytes := disk.Usage{BytesPercent: 86.24, InodesPercent: 3, Avail: 1.25 * gib}
	inodes := disk.Usage{BytesPercent: 20, InodesPercent: 98.4, InodesFree: 1234}
	tests := map[string]struct {
		usage    disk.Usage
		forecast disk.Forecast
		level    disk.Level
		want     string
	}{
		"normal":           {usage: bytes, want: "/logs is 86.2 % full, 1.2GiB left"},
		"far away":         {usage: bytes, forecast: disk.Forecast{Full: 50 * time.Hour, Resource: disk.Bytes, Rate: 700}, want: "/logs is 86.2 % full, 1.2GiB left; full in about 50h at 700B/s"},
		"later today":      {usage: bytes, forecast: disk.Forecast{Full: 187*time.Minute + 40*time.Second, Resource: disk.Bytes, Rate: 9000}, want: "/logs is 86.2 % full, 1.2GiB left; full in about 3h08m at 8.8KiB/s"},
		"forecast":         {usage: bytes, forecast: disk.Forecast{Full: 25 * time.Minute, Resource: disk.Bytes, Rate: 860000}, level: disk.Soon, want: "/logs is 86.2 % full, 1.2GiB left; full in about 25m at 839.8KiB/s"},
		"high":             {usage: bytes, level: disk.High, want: "/logs is 86.2 % full, 1.2GiB left; high from 85 % until below 70 %"},
		"inodes":           {usage: inodes, level: disk.Emergency, want: "/logs has 98.4 % of its inodes in use, 1234 left; emergency from 98 %"},
		"inodes, forecast": {usage: bytes, forecast: disk.Forecast{Full: time.Second, Resource: disk.Inodes, Rate: 12.34}, level: disk.Soon, want: "/logs is 86.2 % full, 1.2GiB left; out of inodes in about 1m at 12.3/s"},
		"nothing left":     {usage: disk.Usage{BytesPercent: 100}, want: "/logs is 100.0 % full, 0B left"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := disk.Reason("/logs", tt.usage, tt.forecast, tt.level, usual); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}
