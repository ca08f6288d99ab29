#include "tests/sim/law/results.h"

#include <fmt/format.h>

#include <istream>
#include <sstream>

namespace braid::law {
namespace {

constexpr const char* kEnd = "end";  // the last word of a whole line

void put(std::string& line, const Measured& measured) {
  line += fmt::format(" {:.4f} {:.4f} {}", measured.bonded, measured.alone,
                      measured.finished ? "ok" : "late");
}

bool get(std::istream& in, Measured& measured) {
  std::string word;
  if (!(in >> measured.bonded >> measured.alone >> word)) return false;
  measured.finished = word == "ok";
  return word == "ok" || word == "late";
}

}  // namespace

std::string to_line(const Result& result) {
  const Hints& h = result.hints;
  std::string line = fmt::format("{} {} {}", result.cell,
                                 result.direction == Direction::kDown ? "down" : "up", result.seed);
  put(line, result.bulk);
  line += fmt::format(" {:.3f} {:.3f} {} {} {} {} {} {} {} {}", h.used[0], h.used[1],
                      to_ms(h.by_window[0]), to_ms(h.by_window[1]), to_ms(h.by_other[0]),
                      to_ms(h.by_other[1]), h.reinjected, h.retransmitted, h.timeouts, h.capacity);
  for (const auto& small : result.small) {
    if (small) put(line, *small);
  }
  return line + " " + kEnd;
}

std::optional<Result> from_line(const std::string& line) {
  if (!line.ends_with(std::string(" ") + kEnd)) return std::nullopt;
  std::istringstream in(line);
  Result result;
  std::string direction;
  if (!(in >> result.cell >> direction >> result.seed) || !get(in, result.bulk)) {
    return std::nullopt;
  }
  result.direction = direction == "up" ? Direction::kUp : Direction::kDown;
  Hints& h = result.hints;
  std::array<std::int64_t, 4> ms{};
  in >> h.used[0] >> h.used[1] >> ms[0] >> ms[1] >> ms[2] >> ms[3] >> h.reinjected >>
      h.retransmitted >> h.timeouts >> h.capacity;
  if (!in) return std::nullopt;
  h.by_window = {Duration(1ms) * ms[0], Duration(1ms) * ms[1]};
  h.by_other = {Duration(1ms) * ms[2], Duration(1ms) * ms[3]};
  for (auto& small : result.small) {
    Measured measured;
    if (!get(in, measured)) break;
    small = measured;
  }
  return result;
}

Results read_results(std::istream& in) {
  Results results;
  for (std::string line; std::getline(in, line);) {
    if (const auto result = from_line(line)) results[result->key()] = *result;
  }
  return results;
}

}  // namespace braid::law
