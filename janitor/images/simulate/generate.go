package simulate

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A Workload says what kind of host a trace is made up for: one of several that
// share the tasks of a cluster.
type Workload struct {
	Seed     uint64
	Days     int // 0: 30
	Services int // 0: 30
}

// The shape of the made-up cluster.
const (
	bases      = 5   // base images that services are built on
	jobs       = 10  // images that run by the clock
	tools      = 6   // images that are run by hand
	rollback   = .04 // share of the deploys that are taken back
	newDeps    = .2  // share of the deploys that change more than the application
	bumpEvery  = 10 * 24 * time.Hour
	longDeploy = 10 * time.Minute
	busyHours  = 3 // how many times as much is deployed in working hours
)

// A generator makes up a trace.
type generator struct {
	*rand.Rand
	begin, end time.Time
	trace      []Event
	bases      []*base
	containers int
}

// A base is an image that others are built on; it is built anew now and then.
type base struct {
	name   string
	layers []inventory.Layer
	next   time.Time
}

// A repository is what one service, job or tool is deployed from.
type repository struct {
	name   string
	base   *base
	deps   inventory.Layer
	app    int64 // bytes of what every build changes
	builds int
	tag    string // the newest
	before string // the one that it replaced
}

// Generate makes up a trace: services that are deployed between once a week and
// a dozen times a day, whose tasks come and go on this host with the day's load
// and the scheduler's whim; roll-backs; jobs by the hour, by the night and by
// the week; and images that somebody runs by hand. The same workload gives the
// same trace.
func Generate(w Workload) []Event {
	begin := time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC) // a Monday
	g := &generator{
		Rand:  rand.New(rand.NewPCG(w.Seed, 0)),
		begin: begin, end: begin.AddDate(0, 0, cmp.Or(w.Days, 30)),
	}
	for n := range bases {
		b := &base{name: fmt.Sprint("base", n), next: begin}
		g.bases = append(g.bases, b)
	}
	for n := range cmp.Or(w.Services, 30) {
		g.service(fmt.Sprint("service", n))
	}
	for n := range jobs {
		g.job(fmt.Sprint("job", n), []time.Duration{time.Hour, 24 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}[n%4])
	}
	for n := range tools {
		g.tool(fmt.Sprint("tool", n))
	}
	slices.SortStableFunc(g.trace, func(a, b Event) int { return a.At.Compare(b.At) })
	return g.trace
}

// size is log-normal around a median, in bytes.
func (g *generator) size(median float64) int64 { return int64(median * math.Exp(0.8*g.NormFloat64())) }

// wait is the time to the next of events without memory, so many a day.
func (g *generator) wait(perDay float64) time.Duration {
	return time.Duration(g.ExpFloat64() / perDay * float64(24*time.Hour))
}

// load is the share of the day's peak at which services run at a moment.
func load(at time.Time) float64 {
	hour := float64(at.Hour()) + float64(at.Minute())/60
	return 0.6 - 0.4*math.Cos((hour-3)/24*2*math.Pi)
}

// working reports whether people deploy at a moment, or one of the few does who
// deploy at another.
func (g *generator) working(at time.Time) bool {
	weekday := at.Weekday() != time.Saturday && at.Weekday() != time.Sunday
	return weekday && at.Hour() >= 9 && at.Hour() < 18 || g.IntN(busyHours*2) == 0
}

// at returns the base's layers at a moment.
func (b *base) at(g *generator, at time.Time) []inventory.Layer {
	for !at.Before(b.next) {
		b.layers = nil
		for n, median := range []float64{80e6, 60e6, 30e6} {
			b.layers = append(b.layers, inventory.Layer{Chain: fmt.Sprintf("%s.%d@%s", b.name, n, b.next.Format(time.DateOnly)), Size: g.size(median)})
		}
		b.next = b.next.Add(bumpEvery)
	}
	return b.layers
}

func (g *generator) repository(name string) *repository {
	return &repository{
		name: name, base: g.bases[g.IntN(len(g.bases))], app: g.size(30e6),
		deps: inventory.Layer{Chain: name + ".deps0", Size: g.size(150e6)},
	}
}

// build builds a repository's next image.
func (g *generator) build(r *repository, at time.Time) {
	r.builds++
	if g.Float64() < newDeps {
		r.deps = inventory.Layer{Chain: fmt.Sprintf("%s.deps%d", r.name, r.builds), Size: g.size(150e6)}
	}
	r.before, r.tag = r.tag, fmt.Sprintf("%s:%d", r.name, r.builds)
	layers := slices.Clone(r.base.at(g, at))
	under := layers[len(layers)-1].Chain // a layer on another is another layer
	layers = append(layers, inventory.Layer{Chain: under + "/" + r.deps.Chain, Size: r.deps.Size},
		inventory.Layer{Chain: r.tag, Size: r.app})
	g.trace = append(g.trace, Event{At: at, Kind: Built, Image: r.tag, Layers: layers})
}

// start starts a container of a repository's image and returns its name.
func (g *generator) start(r *repository, image string, at time.Time) string {
	g.containers++
	name := fmt.Sprint("c", g.containers)
	g.trace = append(g.trace, Event{At: at, Kind: Started, Image: image, Container: name, Service: r.name})
	return name
}

func (g *generator) stop(container string, at time.Time) {
	g.trace = append(g.trace, Event{At: at, Kind: Stopped, Container: container})
}

// service deploys and scales one service until the trace ends.
func (g *generator) service(name string) {
	r := g.repository(name)
	perDay := math.Exp(math.Log(1.0/7) + g.Float64()*math.Log(12*7)) // from one a week to twelve a day
	share := math.Exp(g.NormFloat64()*0.8) * 1.2                     // tasks that this host has of it at the peak
	at := g.begin.Add(time.Duration(g.Int64N(int64(time.Hour))))
	g.build(r, at)
	image := r.tag
	var tasks []string
	deploy, scale := at.Add(g.wait(perDay)), at
	var back time.Time // when the last deploy is taken back; zero: it is not
	for at.Before(g.end) {
		switch {
		case !back.IsZero() && !back.After(deploy) && !back.After(scale):
			at, back = back, time.Time{}
			image = r.before
			tasks = g.roll(r, image, tasks, at)
			deploy, scale = after(deploy, at), after(scale, at)
		case deploy.Before(scale):
			at = deploy
			if deploy = at.Add(longDeploy + g.wait(perDay)); !g.working(at) {
				continue
			}
			g.build(r, at)
			image = r.tag
			tasks = g.roll(r, image, tasks, at)
			scale = after(scale, at)
			if g.Float64() < rollback {
				back = at.Add(longDeploy + time.Duration(g.Int64N(int64(time.Hour))))
			}
		default:
			at = scale
			scale = at.Add(longDeploy + g.wait(24))
			tasks = g.scale(r, image, tasks, at, share)
		}
	}
}

// after is a moment, or the end of a deploy if that is later.
func after(moment, deploy time.Time) time.Time {
	if end := deploy.Add(longDeploy); moment.Before(end) {
		return end
	}
	return moment
}

// roll replaces all tasks within the time that a deploy takes. Where the
// scheduler puts the new ones is open: this host may get none.
func (g *generator) roll(r *repository, image string, old []string, at time.Time) (tasks []string) {
	for _, task := range old {
		moment := at.Add(time.Duration(g.Int64N(int64(longDeploy) / 2)))
		if g.IntN(4) > 0 {
			tasks = append(tasks, g.start(r, image, moment))
		}
		g.stop(task, moment.Add(longDeploy/2))
	}
	return tasks
}

// scale brings the tasks of a service on this host to what the load wants, give
// or take what the scheduler does.
func (g *generator) scale(r *repository, image string, tasks []string, at time.Time, share float64) []string {
	want := 0
	for mean := share * load(at); mean > 0; want++ { // Poisson
		if mean -= g.ExpFloat64(); mean <= 0 {
			break
		}
	}
	// Tasks stay where they are: half of the difference comes or goes.
	for n := (want - len(tasks)) / 2; n > 0; n-- {
		tasks = append(tasks, g.start(r, image, at))
	}
	if len(tasks) == 0 && want > 0 && g.IntN(2) == 0 {
		tasks = append(tasks, g.start(r, image, at))
	}
	for n := (len(tasks) - want + 1) / 2; n > 0; n-- {
		g.stop(tasks[0], at)
		tasks = tasks[1:]
	}
	return tasks
}

// job runs by the clock, on this host or on another, and is built anew once in
// two weeks.
func (g *generator) job(name string, every time.Duration) {
	r := g.repository(name)
	g.build(r, g.begin)
	next := g.begin.Add(g.wait(1.0 / 14))
	for at := g.begin.Add(time.Duration(g.Int64N(int64(every)))); at.Before(g.end); at = at.Add(every) {
		if at.After(next) {
			g.build(r, at.Add(-time.Minute))
			next = at.Add(g.wait(1.0 / 14))
		}
		if g.IntN(2) == 0 {
			g.run(r, r.tag, at, 20*time.Minute)
		}
	}
}

// tool is run by hand, a few times a week, often several times in a row.
func (g *generator) tool(name string) {
	r := g.repository(name)
	g.build(r, g.begin)
	for at := g.begin.Add(g.wait(0.4)); at.Before(g.end); at = at.Add(g.wait(0.4)) {
		if g.IntN(3) == 0 {
			g.build(r, at.Add(-time.Minute))
		}
		for moment := at; ; moment = moment.Add(30 * time.Minute) {
			g.run(r, r.tag, moment, 10*time.Minute)
			if g.IntN(2) == 0 {
				break
			}
		}
	}
}

func (g *generator) run(r *repository, image string, at time.Time, longest time.Duration) {
	container := g.start(r, image, at)
	g.stop(container, at.Add(time.Minute+time.Duration(g.Int64N(int64(longest)))))
}
