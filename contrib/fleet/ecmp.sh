#!/bin/sh
# On the router in front of the nodes: the clients' address by equal-cost routes, without NAT and
# without a balancer. Each node has that address on its loopback interface:
#     ip addr add 198.51.100.10/32 dev lo
#
# The hash takes the addresses of client and server only (policy 0), so that the data connections of a
# client reach the node of its control connection. With policy 1, which takes ports as well, they do
# not. When a node joins or leaves, clients change their node in the middle of a session: use this for
# failover only, never to empty a node.
set -eu

vip=${1:-198.51.100.10}
[ "$#" -eq 0 ] || shift
[ "$#" -gt 0 ] || set -- 192.0.2.11 192.0.2.12

sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.fib_multipath_hash_policy=0
for node; do
	hops="${hops:-} nexthop via $node"
done
ip route replace "$vip/32" $hops
