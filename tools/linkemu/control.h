// Control: a Unix stream socket that takes command lines and answers each with lines, the last of
// which is "ok" or "error: what was wrong".
//
//   set LINK WORDS...   down LINK [carrier]   up LINK   stats [LINK]   show [LINK]   quit
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tools/linkemu/emulated_link.h"

namespace braid::linkemu {

using Links = std::vector<std::unique_ptr<EmulatedLink>>;

// The answer to one command line, "ok" or "error: ..." at its end; `quit` is set by that command.
struct Answer {
  std::string text;
  bool quit = false;
};
Answer run_command(const std::string& line, Links& links);

class ControlServer {
 public:
  // Replaces a socket file left there by an earlier run. Throws std::system_error.
  explicit ControlServer(const std::string& path);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  int listener() const { return listener_; }
  // A connection, or -1.
  int accept();
  // Reads what a connection sent and answers whole lines. False when it is closed.
  bool serve(int connection, Links& links);
  bool quit_asked() const { return quit_; }

 private:
  std::string path_;
  int listener_ = -1;
  std::map<int, std::string> pending_;  // connections, and their unfinished lines
  bool quit_ = false;
};

// The other side: sends one line, prints the answer. The exit status of the program.
int send_command(const std::string& path, const std::string& line);

}  // namespace braid::linkemu
