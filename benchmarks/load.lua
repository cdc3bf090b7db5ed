-- What wrk asks for: the paths of a file, one after the other, with a visitor's cookie.
-- Arguments: the file, where to begin in it, the cookie, the encodings that the browser takes.

local requests, position = {}, 0

function init(args)
  local headers = { ["Cookie"] = args[3], ["Accept-Language"] = "de" }
  if args[4] ~= "identity" then headers["Accept-Encoding"] = args[4] end
  for path in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
  position = tonumber(args[2]) % #requests
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "\nFIGURES %d %d %d %d %d %d %d\n", summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
