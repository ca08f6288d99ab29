#include "tools/linkemu/settings_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace braid::linkemu {
namespace {

using sim::LinkSettings;
using sim::LinkState;

struct Quantity {
  double value;
  std::string_view unit;
};

Quantity parse_quantity(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) throw TextError(fmt::format("'{}' is not a number", text));
  return {value, text.substr(static_cast<std::size_t>(end - text.data()))};
}

double parse_share(std::string_view text) {
  const Quantity quantity = parse_quantity(text);
  const double share = quantity.unit == "%" ? quantity.value / 100 : quantity.value;
  if ((quantity.unit != "%" && !quantity.unit.empty()) || share > 1) {
    throw TextError(fmt::format("'{}' is not a share: 0.01 or 1%", text));
  }
  return share;
}

std::uint64_t parse_count(std::string_view text) {
  const Quantity quantity = parse_quantity(text);
  const double scale = quantity.unit == "kb" ? 1e3 : quantity.unit == "mb" ? 1e6 : 1;
  if (scale == 1 && !quantity.unit.empty() && quantity.unit != "b") {
    throw TextError(fmt::format("'{}' is not a number of bytes: 64000, 64kb, 1mb", text));
  }
  return static_cast<std::uint64_t>(quantity.value * scale);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

// "100ms" limits time, "64kb" limits bytes, "none" neither.
void apply_queue(std::string_view value, LinkSettings& settings) {
  settings.queue_bytes = 0;
  settings.queue_time = Duration::zero();
  if (value == "none") return;
  if (value.ends_with('s'))
    settings.queue_time = parse_duration(value);
  else
    settings.queue_bytes = parse_count(value);
}

void apply_jitter(std::string_view value, LinkSettings& settings) {
  const auto parts = split(value, ',');
  settings.jitter = parse_duration(parts[0]);
  settings.jitter_order = sim::JitterOrder::kKept;
  if (parts.size() == 2 && parts[1] == "reorder") {
    settings.jitter_order = sim::JitterOrder::kMayReorder;
  } else if (parts.size() != 1) {
    throw TextError(fmt::format("'{}': after the time comes nothing or 'reorder'", value));
  }
}

void apply_burst(std::string_view value, LinkSettings& settings) {
  const auto parts = split(value, ',');
  if (parts.size() < 2 || parts.size() > 3) {
    throw TextError(fmt::format("'{}' is not enter,leave[,loss]", value));
  }
  settings.burst = {parse_share(parts[0]), parse_share(parts[1]),
                    parts.size() == 3 ? parse_share(parts[2]) : 1.0};
}

void apply_reorder(std::string_view value, LinkSettings& settings) {
  const auto parts = split(value, ',');
  settings.reorder = parse_share(parts[0]);
  if (parts.size() == 2) settings.reorder_delay = parse_duration(parts[1]);
}

// "0s:50mbit,8s:down,10s:up"
void apply_schedule(std::string_view value, LinkSettings& settings) {
  settings.schedule.clear();
  if (value == "none") return;
  for (std::string_view part : split(value, ',')) {
    const auto fields = split(part, ':');
    if (fields.size() != 2) throw TextError(fmt::format("'{}' is not time:event", part));
    sim::ScheduleStep step{.at = parse_duration(fields[0])};
    if (fields[1] == "up")
      step.state = LinkState::kUp;
    else if (fields[1] == "down")
      step.state = LinkState::kBlackHole;
    else if (fields[1] == "nocarrier")
      step.state = LinkState::kNoCarrier;
    else
      step.rate = parse_rate(fields[1]);
    settings.schedule.push_back(step);
  }
  if (!std::is_sorted(settings.schedule.begin(), settings.schedule.end(),
                      [](const auto& a, const auto& b) { return a.at < b.at; })) {
    throw TextError(fmt::format("'{}': the times must ascend", value));
  }
}

void apply_word(std::string_view key, std::string_view value, LinkSettings& settings) {
  if (key == "rate")
    settings.rate = parse_rate(value);
  else if (key == "delay")
    settings.delay = parse_duration(value);
  else if (key == "jitter")
    apply_jitter(value, settings);
  else if (key == "queue")
    apply_queue(value, settings);
  else if (key == "loss")
    settings.loss = parse_share(value);
  else if (key == "burst")
    apply_burst(value, settings);
  else if (key == "ber")
    settings.bit_error_rate = parse_share(value);
  else if (key == "duplicate")
    settings.duplicate = parse_share(value);
  else if (key == "reorder")
    apply_reorder(value, settings);
  else if (key == "mtu")
    settings.mtu = static_cast<std::uint32_t>(parse_count(value));
  else if (key == "schedule")
    apply_schedule(value, settings);
  else if (key == "period")
    settings.schedule_period = parse_duration(value);
  else
    throw TextError(fmt::format("'{}' is not a setting", key));
}

void check(const LinkSettings& settings) {
  if (settings.schedule_period > Duration::zero() && !settings.schedule.empty() &&
      settings.schedule.back().at > settings.schedule_period) {
    throw TextError("the schedule is longer than its period");
  }
}

std::string duration_text(Duration time) { return fmt::format("{}us", to_us(time)); }

}  // namespace

const char* const kSettingsHelp =
    "  rate=50mbit | unlimited     clocked out at this rate (IP bytes)\n"
    "  delay=10ms                  one way\n"
    "  jitter=2ms[,reorder]        up to this much more\n"
    "  queue=100ms | 64kb | none   what waits longer is dropped\n"
    "  loss=1% burst=ENTER,LEAVE[,LOSS] ber=1e-7 duplicate=1% reorder=1%[,5ms] mtu=1400\n"
    "  schedule=0s:50mbit,8s:down,10s:up period=10s   (events: a rate, up, down, nocarrier; none)\n"
    "  up:WORD and down:WORD go for one direction (up is A to B)\n";

Rate parse_rate(std::string_view text) {
  if (text == "unlimited") return Rate();
  const Quantity quantity = parse_quantity(text);
  const double scale = quantity.unit == "gbit"   ? 1e9
                       : quantity.unit == "mbit" ? 1e6
                       : quantity.unit == "kbit" ? 1e3
                       : quantity.unit == "bit"  ? 1
                                                 : 0;
  const Rate rate = Rate::bits_per_second(static_cast<std::uint64_t>(quantity.value * scale));
  if (rate.is_zero()) throw TextError(fmt::format("'{}' is not a rate: 50mbit, unlimited", text));
  return rate;
}

Duration parse_duration(std::string_view text) {
  const Quantity quantity = parse_quantity(text);
  const double scale = quantity.unit == "s"    ? 1e9
                       : quantity.unit == "ms" ? 1e6
                       : quantity.unit == "us" ? 1e3
                                               : 0;
  if (scale == 0) throw TextError(fmt::format("'{}' is not a time: 10ms, 50us, 2s", text));
  return Duration(static_cast<std::int64_t>(quantity.value * scale));
}

void apply_words(std::span<const std::string> words, DuplexSettings& settings) {
  for (const std::string& word : words) {
    std::string_view rest = word;
    const bool up_only = rest.starts_with("up:");
    const bool down_only = rest.starts_with("down:");
    if (up_only) rest.remove_prefix(3);
    if (down_only) rest.remove_prefix(5);
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) {
      throw TextError(fmt::format("'{}' is not a word like rate=50mbit", word));
    }
    const std::string_view key = rest.substr(0, equals);
    const std::string_view value = rest.substr(equals + 1);
    if (!down_only) apply_word(key, value, settings.up);
    if (!up_only) apply_word(key, value, settings.down);
  }
  check(settings.up);
  check(settings.down);
}

std::string describe(const LinkSettings& s) {
  std::string text =
      s.rate.is_zero() ? "rate=unlimited" : fmt::format("rate={}bit", s.rate.bits_per_second());
  text += " delay=" + duration_text(s.delay);
  text += " jitter=" + duration_text(s.jitter);
  if (s.jitter_order == sim::JitterOrder::kMayReorder) text += ",reorder";
  if (s.queue_time > Duration::zero())
    text += " queue=" + duration_text(s.queue_time);
  else
    text += s.queue_bytes > 0 ? fmt::format(" queue={}b", s.queue_bytes) : " queue=none";
  text += fmt::format(" loss={} burst={},{},{} ber={} duplicate={} reorder={},{} mtu={}", s.loss,
                      s.burst.enter, s.burst.leave, s.burst.loss_when_bad, s.bit_error_rate,
                      s.duplicate, s.reorder, duration_text(s.reorder_delay), s.mtu);
  std::string steps;
  for (const sim::ScheduleStep& step : s.schedule) {
    // A step with both is two words at one time.
    if (step.rate) {
      steps += fmt::format(
          ",{}:{}", duration_text(step.at),
          step.rate->is_zero() ? "unlimited" : fmt::format("{}bit", step.rate->bits_per_second()));
    }
    if (step.state) {
      steps += fmt::format(",{}:{}", duration_text(step.at),
                           *step.state == LinkState::kUp          ? "up"
                           : *step.state == LinkState::kBlackHole ? "down"
                                                                  : "nocarrier");
    }
  }
  text += " schedule=" + (steps.empty() ? "none" : steps.substr(1));
  return text + " period=" + duration_text(s.schedule_period);
}

}  // namespace braid::linkemu
