// Package jmxmp finds the Java services of this host: which published port
// leads to which container, the JMXMP ports first, each with the URL that a
// JMX client takes.
//
//	maps := jmxmp.Mappings(snapshot.Containers, jmxmp.Host{Address: addr}, 5555)
//	// maps[0].URL == "service:jmx:jmxmp://10.1.2.3:32801"
//
// [Mappings] is a pure function of the inventory: no port is tried.
//
// # Which address
//
// A port that is bound to all addresses is reached at the host's address. One
// that is bound to a certain address is reached there, if other hosts can reach
// that address at all: loopback, link-local and the addresses of Docker's own
// bridges lead nowhere from outside. Such a mapping is kept, marked Local, and
// has no URL: a URL that means another machine to each reader is worse than
// none. An address of the wrong family is not made up for either.
//
// # Which containers
//
// Those that run or are paused, and have ports in one of four ways:
//
//   - in a bridge network, those that Docker publishes;
//   - in the host's network, those that were declared: Docker publishes none,
//     and whether anything listens it does not know;
//   - in an ECS task's own network (awsvpc), the declared ones, at the address
//     of the task's interface, once its metadata has told that;
//   - with ECS Service Connect in bridge mode, those of the task's pause
//     containers, each of which holds the bindings of one container.
//
// A pause container has no mapping of its own.
//
// # Instances
//
// ECS numbers nothing. An instance is a task, or a container outside ECS;
// instances of a service are numbered from 1 in the order in which they were
// started. A number is for people to type; it moves up when an older instance
// ends. What names an instance for good is its task or container ID.
package jmxmp
