package ecs_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-dev/berth/collectors/ecs"
	"github.com/berth-dev/berth/collectors/inventory"
)

const (
	orders  = "8f03e41243824aea923aca126495f665"
	billing = "1234567890abcdef1234567890abcdef"
	web     = "00000000000000000000000000000001"
)

var byValue = cmpopts.EquateComparable(netip.Addr{})

func arn(id string) string { return "arn:aws:ecs:eu-west-1:111122223333:task/prod/" + id }

func file(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestIntrospectionListsTasksWithTheirStatuses(t *testing.T) {
	got, err := ecs.ReadTasks(file(t, "introspection/tasks.json"))
	want := []inventory.Task{
		{ARN: arn(web), Family: "web:1", Desired: "RUNNING", Known: "PENDING"},
		{ARN: arn(billing), Family: "billing:7", Desired: "STOPPED", Known: "RUNNING"},
		{ARN: arn(orders), Family: "orders:211", Desired: "RUNNING", Known: "RUNNING"},
	}
	if diff := cmp.Diff(want, got, byValue); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestABadListOfTasksIsWorthNothing(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"Tasks":null}`, `{"Tasks":[{"Arn":"a"}]}`, `{"Tasks":[{"KnownStatus":"RUNNING"}]}`,
		`{"Tasks":[{"Arn":"a","KnownStatus":"RUNNING"},{"Arn":"a","KnownStatus":"STOPPED"}]}`, `[`,
	} {
		if got, err := ecs.ReadTasks([]byte(text)); err == nil {
			t.Errorf("%s is read as %+v, want an error", text, got)
		}
	}
	if got, err := ecs.ReadTasks([]byte(`{"Tasks":[]}`)); err != nil || len(got) != 0 {
		t.Errorf("an empty list: %v, %v", got, err)
	}
}

func TestMetadataTellTheSizeOfTheWholeTask(t *testing.T) {
	tests := map[string]*inventory.TaskSize{
		orders: {
			CPU: 256, Memory: 512, Source: inventory.FromMetadata,
			Containers: map[inventory.ID]inventory.ContainerSize{whole("f"): {}, whole("a"): {CPU: 2, Memory: 3}},
			Addresses:  []netip.Addr{netip.MustParseAddr("10.9.8.7"), netip.MustParseAddr("2001:db8::7")},
		},
		billing: {Source: inventory.FromMetadata, Containers: map[inventory.ID]inventory.ContainerSize{whole("b"): {CPU: 128, Memory: 256}}},
	}
	for task, want := range tests {
		got, err := ecs.ReadSize(file(t, "metadata/"+task+".json"))
		if diff := cmp.Diff(want, got, byValue); err != nil || diff != "" {
			t.Errorf("%s: %v %s", task, err, diff)
		}
	}
}

func TestATasksCgroupTellsItsSize(t *testing.T) {
	for root, name := range map[string]string{"testdata/v1": "/ecs/%s", "testdata/v2": "ecstasks-%s.slice"} {
		for task, want := range map[string]inventory.TaskSize{
			orders: {CPU: 256, Memory: 512, Source: inventory.FromCgroup}, billing: {Source: inventory.FromCgroup},
		} {
			got, err := ecs.CgroupSize(root, fmt.Sprintf(name, task))
			if err != nil || !cmp.Equal(*got, want, byValue) {
				t.Errorf("%s, %s: got %+v, %v; want %+v", root, task, got, err, want)
			}
		}
		for _, parent := range []string{"", "/", "/ecs/../memory", "ecstasks-" + web + ".slice", "/ecs/" + web, "user.slice", "ecstasks-.slice"} {
			if got, err := ecs.CgroupSize(root, parent); !errors.Is(err, ecs.ErrNone) {
				t.Errorf("%s, %q: got %+v, %v; want none", root, parent, got, err)
			}
		}
	}
}

// The quota is what the ECS agent makes of the CPU units, cut to microseconds.
func TestEachQuotaLeadsBackToItsUnits(t *testing.T) {
	for _, period := range []int64{8_000, 10_000, 20_000, 50_000, 100_000} {
		for cpu := int64(128); cpu <= 196_608; cpu++ {
			quota := int64(float64(cpu) / 1024 * float64(period))
			got, err := ecs.Limits(fmt.Sprint(quota), fmt.Sprint(period), "max")
			if err != nil || got.CPU != cpu {
				t.Fatalf("%d units are quota %d of %d, read as %+v, %v", cpu, quota, period, got, err)
			}
		}
	}
}

func FuzzAnswers(f *testing.F) {
	for _, name := range []string{"introspection/tasks.json", "metadata/" + orders + ".json", "metadata/" + billing + ".json"} {
		f.Add(file(f, name))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		tasks, err := ecs.ReadTasks(text)
		for i := range tasks {
			if i > 0 && tasks[i-1].ARN >= tasks[i].ARN || tasks[i].Known == "" {
				t.Errorf("tasks %+v are not sorted, unique and with a status", tasks)
			}
		}
		if err != nil && tasks != nil {
			t.Error("tasks beside an error")
		}
		if s, err := ecs.ReadSize(text); err == nil && (s.CPU < 0 || s.Memory < 0) {
			t.Errorf("a size below zero: %+v", s)
		}
	})
}

func FuzzCgroup(f *testing.F) {
	f.Add("25000", "100000", "536870912")
	f.Add("max", "", "max")
	f.Fuzz(func(t *testing.T, quota, period, memory string) {
		if s, err := ecs.Limits(quota, period, memory); err == nil && (s.CPU < 0 || s.Memory < 0) {
			t.Errorf("a size below zero: %+v", s)
		}
	})
}
