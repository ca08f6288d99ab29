#include "tools/linkemu/control.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <sstream>
#include <system_error>

namespace braid::linkemu {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    throw std::system_error(ENAMETOOLONG, std::generic_category(), path);
  }
  path.copy(address.sun_path, path.size());
  return address;
}

int unix_socket(int flags) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "control socket");
  return fd;
}

EmulatedLink& find(Links& links, const std::string& name) {
  for (const auto& link : links) {
    if (link->name() == name) return *link;
  }
  throw TextError(fmt::format("no link '{}'", name));
}

std::string show(const EmulatedLink& link) {
  const DuplexSettings settings = link.settings();
  return fmt::format("{} up {}\n{} down {}\n", link.name(), describe(settings.up), link.name(),
                     describe(settings.down));
}

std::string run_words(const std::vector<std::string>& words, Links& links) {
  const std::string& verb = words[0];
  std::string text;
  if (verb == "stats" || verb == "show") {
    for (const auto& link : links) {
      if (words.size() > 1 && link->name() != words[1]) continue;
      text += verb == "stats" ? link->stats() : show(*link);
    }
    if (words.size() > 1) find(links, words[1]);
    return text;
  }
  if (verb != "set" && verb != "up" && verb != "down") {
    throw TextError(fmt::format("no command '{}': set, up, down, stats, show, quit", verb));
  }
  if (words.size() < 2) throw TextError(verb + " wants a link");
  EmulatedLink& link = find(links, words[1]);
  if (verb == "set") {
    DuplexSettings settings = link.settings();
    apply_words(std::span(words).subspan(2), settings);
    link.set(settings);
  } else if (verb == "up") {
    link.set_state(sim::LinkState::kUp);
  } else {
    const bool carrier = words.size() > 2 && words[2] == "carrier";
    if (words.size() > 2 && !carrier)
      throw TextError("after 'down LINK' comes nothing or 'carrier'");
    link.set_state(carrier ? sim::LinkState::kNoCarrier : sim::LinkState::kBlackHole);
  }
  return text;
}

}  // namespace

Answer run_command(const std::string& line, Links& links) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  if (words.empty()) return {"ok\n"};
  if (words[0] == "quit") return {"ok\n", true};
  try {
    return {run_words(words, links) + "ok\n"};
  } catch (const TextError& error) {
    return {fmt::format("error: {}\n", error.what())};
  }
}

ControlServer::ControlServer(const std::string& path) : path_(path) {
  listener_ = unix_socket(SOCK_NONBLOCK);
  const sockaddr_un address = address_of(path);
  unlink(path.c_str());
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0 ||
      listen(listener_, 8) < 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
}

ControlServer::~ControlServer() {
  for (const auto& [connection, line] : pending_) close(connection);
  close(listener_);
  unlink(path_.c_str());
}

int ControlServer::accept() {
  const int connection = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection >= 0) pending_[connection];
  return connection;
}

bool ControlServer::serve(int connection, Links& links) {
  std::array<char, 4096> buffer;
  const ssize_t got = read(connection, buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  std::string& line = pending_[connection];
  constexpr std::size_t kLongestLine = 1 << 16;
  bool keep = got > 0 && line.size() < kLongestLine;
  if (keep) line.append(buffer.data(), static_cast<std::size_t>(got));
  for (std::size_t end = line.find('\n'); keep && end != std::string::npos; end = line.find('\n')) {
    const Answer answer = run_command(line.substr(0, end), links);
    line.erase(0, end + 1);
    quit_ = quit_ || answer.quit;
    // Answers are small: a reader that lets them pile up is cut off.
    keep = send(connection, answer.text.data(), answer.text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(answer.text.size());
  }
  if (!keep) {
    pending_.erase(connection);
    close(connection);
  }
  return keep;
}

int send_command(const std::string& path, const std::string& line) {
  const int fd = unix_socket(0);
  const sockaddr_un address = address_of(path);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  const std::string request = line + "\n";
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  shutdown(fd, SHUT_WR);
  std::string answer;
  std::array<char, 4096> buffer;
  for (ssize_t got; (got = read(fd, buffer.data(), buffer.size())) > 0;) {
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(fd);
  if (answer.ends_with("ok\n")) {
    std::fputs(answer.substr(0, answer.size() - 3).c_str(), stdout);
    return 0;
  }
  std::fputs(answer.empty() ? "error: no answer\n" : answer.c_str(), stderr);
  return 1;
}

}  // namespace braid::linkemu
