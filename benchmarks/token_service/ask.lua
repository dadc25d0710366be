-- Asks for tokens of many people in turn. BEARERS is a file with one bearer token a line.
local requests, turn = {}, 0

init = function()
  for bearer in io.lines(os.getenv("BEARERS")) do
    local headers = { Host = wrk.headers["Host"], Authorization = "Bearer " .. bearer }
    requests[#requests + 1] = wrk.format("GET", "/token", headers)
  end
end

request = function()
  turn = turn % #requests + 1
  return requests[turn]
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "RESULT %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
