#include "tests/interop/options.h"

#include <charconv>
#include <map>
#include <stdexcept>

namespace braid::interop {

namespace {

[[noreturn]] void wrong(const std::string& word, const std::string& expected) {
  throw std::runtime_error("'" + word + "': expected " + expected);
}

std::vector<std::string> split(const std::string& text, char separator, std::size_t most) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (parts.size() + 1 < most) {
    const std::size_t to = text.find(separator, from);
    if (to == std::string::npos) break;
    parts.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  parts.push_back(text.substr(from));
  return parts;
}

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) wrong(text, "a number");
  return value;
}

wire::IpAddress address(const std::string& text) {
  const auto parsed = wire::IpAddress::parse(text);
  if (!parsed) wrong(text, "an IP address");
  return *parsed;
}

wire::Endpoint endpoint(const std::string& text) {
  const auto parts = split(text, ',', 2);
  if (parts.size() != 2) wrong(text, "ADDRESS,PORT");
  return {address(parts[0]), static_cast<std::uint16_t>(number(parts[1]))};
}

PathOption path(const std::string& text) {
  const auto parts = split(text, ',', 3);
  if (parts.size() < 2) wrong(text, "INTERFACE,ADDRESS[,backup]");
  if (parts.size() == 3 && parts[2] != "backup") wrong(parts[2], "backup");
  return {parts[0], address(parts[1]), parts.size() == 3};
}

Step step(const std::string& text) {
  static const std::map<std::string, Step::What> kinds = {
      {"backup", Step::What::kBackup},     {"regular", Step::What::kRegular},
      {"announce", Step::What::kAnnounce}, {"remove", Step::What::kRemove},
      {"await", Step::What::kAwait},       {"pause", Step::What::kPause},
      {"mark", Step::What::kMark},         {"abort", Step::What::kAbort}};
  const auto parts = split(text, ':', 3);
  if (parts.size() < 2 || !kinds.contains(parts[1])) wrong(text, "BYTES:WHAT[:ARGUMENT]");
  Step out{.at = number(parts[0]), .what = kinds.at(parts[1])};
  if (out.what == Step::What::kAbort) return out;
  if (parts.size() != 3) wrong(text, "an argument");
  if (out.what == Step::What::kAnnounce) {
    out.address = address(parts[2]);
  } else {
    out.number = number(parts[2]);
  }
  return out;
}

void check(const Options& options, const std::string& role) {
  if (role != "client" && role != "listen") wrong(role, "client or listen");
  if (options.paths.empty()) throw std::runtime_error("no --path");
  if (role == "client" && !options.connect) throw std::runtime_error("no --connect");
  if (role == "listen" && options.port == 0) throw std::runtime_error("no --port");
  for (const Step& s : options.steps) {
    const bool names_path = s.what == Step::What::kBackup || s.what == Step::What::kRegular ||
                            s.what == Step::What::kRemove;
    if (names_path && (s.number < 1 || s.number > options.paths.size())) {
      throw std::runtime_error("a step names a path there is not");
    }
  }
}

}  // namespace

Options parse_options(const std::vector<std::string>& words) {
  if (words.empty()) throw std::runtime_error("expected client or listen");
  Options out;
  std::size_t i = 1;
  const auto value = [&]() -> const std::string& {
    if (i + 1 >= words.size()) throw std::runtime_error(words[i] + ": a value is missing");
    return words[++i];
  };
  for (; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--connect")
      out.connect = endpoint(value());
    else if (word == "--port")
      out.port = static_cast<std::uint16_t>(number(value()));
    else if (word == "--path")
      out.paths.push_back(path(value()));
    else if (word == "--send")
      out.send_file = value();
    else if (word == "--receive")
      out.receive_file = value();
    else if (word == "--syn-data")
      out.syn_data = static_cast<std::uint32_t>(number(value()));
    else if (word == "--checksum")
      out.checksum = true;
    else if (word == "--plain")
      out.plain = true;
    else if (word == "--connections")
      out.connections = static_cast<std::uint32_t>(number(value()));
    else if (word == "--timeout")
      out.timeout = std::chrono::seconds(number(value()));
    else if (word == "--step")
      out.steps.push_back(step(value()));
    else
      wrong(word, "an option");
  }
  check(out, words[0]);
  return out;
}

}  // namespace braid::interop
