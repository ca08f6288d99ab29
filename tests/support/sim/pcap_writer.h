// PcapWriter: packets of a simulated run as a file that tcpdump and tshark read (nanoseconds, raw
// IP).
#pragma once

#include <fstream>
#include <string>

#include "stack/base/bytes.h"
#include "stack/base/time.h"

namespace braid::sim {

class PcapWriter {
 public:
  // Throws std::runtime_error when the file cannot be made.
  explicit PcapWriter(const std::string& path);
  void write(Bytes packet, Instant at);

 private:
  std::ofstream file_;
};

}  // namespace braid::sim
