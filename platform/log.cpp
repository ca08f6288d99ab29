#include "platform/log.h"

#include <unistd.h>

#include <ctime>

namespace braid::platform {

namespace {

LogLevel g_level = LogLevel::kInfo;

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "?";
}

std::string wall_clock() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  tm utc{};
  gmtime_r(&t.tv_sec, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     t.tv_nsec / 1'000'000);
}

}  // namespace

void set_log_level(LogLevel level) { g_level = level; }

bool log_enabled(LogLevel level) { return level >= g_level; }

std::string format_log_line(LogLevel level, std::string_view text) {
  std::string line = fmt::format("{} {}", name_of(level), text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  line += '\n';
  return line;
}

void log_line(LogLevel level, std::string_view text) {
  if (!log_enabled(level)) return;
  const std::string line = wall_clock() + ' ' + format_log_line(level, text);
  // One write, so that lines of several processes on one terminal do not interleave. A log that
  // cannot be written is nobody's reason to stop.
  [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace braid::platform
