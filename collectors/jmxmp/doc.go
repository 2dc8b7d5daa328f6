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
// Those with published ports, running or paused: networks in bridge mode. Not
// covered yet are containers in the host's network, whose declared ports Docker
// does not list; awsvpc tasks, whose ports are on their own interface; and ECS
// Service Connect in bridge mode, where the task's pause container holds the
// port bindings. Pause containers are left out.
//
// # Instances
//
// ECS numbers nothing. An instance is a task, or a container outside ECS;
// instances of a service are numbered from 1 in the order in which they were
// started. A number is for people to type; it moves up when an older instance
// ends. What names an instance for good is its task or container ID.
package jmxmp
