package redis

import "github.com/redis/go-redis/v9"

// alive begins each script. A beat is JSON: inc i, seq s (as text: Lua's
// numbers are too short for it), count n, expiry x and TTL t in milliseconds of
// the server's time, and w once it has been withdrawn. What was alive when the
// server was last heard before its restart has its TTL from the restart on.
const alive = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local info = redis.pcall('INFO', 'server')
local up = type(info) == 'string' and tonumber(string.match(info, 'uptime_in_seconds:(%d+)')) or 86400000
local began = now - up * 1000
local life = redis.call('HMGET', KEYS[4], 'start', 'last', 'stop')
local start, stop = tonumber(life[1] or began), tonumber(life[3] or 0)
if math.abs(began - start) > 3000 then start, stop = began, tonumber(life[2]) end
redis.pcall('HSET', KEYS[4], 'start', start, 'last', now, 'stop', stop)
local function left(b) return b.x > stop and math.max(b.x - now, b.t - up * 1000) or b.x - now end
local beat = redis.call('HGET', KEYS[2], ARGV[1])
local b = beat and cjson.decode(beat)
local live = b and not b.w and left(b) > 0
local function put(i, s, t, w)
	redis.call('HSET', KEYS[2], ARGV[1], cjson.encode({i = i, s = s, n = (b and b.n or 0) + 1, x = now + t, t = t, w = w}))
end
`

// The scripts. ARGV[1] is the host.
type scripts struct{ read, write, renew, remove, look *redis.Script }

func newScripts() scripts {
	return scripts{
		// read returns the record that lives.
		read: redis.NewScript(alive + `
return live and redis.call('HGET', KEYS[1], ARGV[1]) or false`),

		// write takes inc, seq, TTL, the record, and the inc and seq that must
		// be there now, or nothing. It sweeps what has been dead for a day.
		write: redis.NewScript(alive + `
local is = live and b.i .. ' ' .. b.s or ''
if is ~= ARGV[6] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[5])
put(ARGV[2], ARGV[3], tonumber(ARGV[4]), nil)
redis.call('PUBLISH', KEYS[3], ARGV[1])
local some = redis.pcall('HRANDFIELD', KEYS[2], 4)
for _, host in ipairs(some.err and {} or some) do
	local old = cjson.decode(redis.call('HGET', KEYS[2], host))
	if now - old.x > 86400000 then
		redis.call('HDEL', KEYS[1], host)
		redis.call('HDEL', KEYS[2], host)
	end
end
return 1`),

		// renew takes inc and TTL. A beat that is merely late is taken up again:
		// nobody else has published since.
		renew: redis.NewScript(alive + `
if not b or b.w or b.i ~= ARGV[2] or redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
put(b.i, b.s, tonumber(ARGV[3]), nil)
if not live then redis.call('PUBLISH', KEYS[3], ARGV[1]) end
return 1`),

		// remove takes the inc and seq that must be there. The beat stays, and
		// tells why the record has gone.
		remove: redis.NewScript(alive + `
if not live or b.i .. ' ' .. b.s ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
put(b.i, b.s, 0, true)
redis.call('PUBLISH', KEYS[3], ARGV[1])
return 1`),

		// look returns the beats of all hosts, or of those named after the first
		// argument, and what is left of each.
		look: redis.NewScript(alive + `
local found = {}
local function add(host, beat)
	found[#found + 1] = host
	found[#found + 1] = beat
	found[#found + 1] = math.floor(left(cjson.decode(beat)))
end
local all = #ARGV == 1 and redis.call('HGETALL', KEYS[2]) or {}
for i = 1, #all, 2 do add(all[i], all[i + 1]) end
for i = 2, #ARGV do
	local beat = redis.call('HGET', KEYS[2], ARGV[i])
	if beat then add(ARGV[i], beat) end
end
return found`),
	}
}
