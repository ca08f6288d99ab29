#include "tests/support/sim/pcap_writer.h"

#include <array>
#include <stdexcept>

namespace braid::sim {
namespace {

constexpr std::uint32_t kMagicNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kLinkTypeRaw = 101;
constexpr std::uint32_t kSnapLength = 65536;

template <std::size_t N>
void write_words(std::ofstream& file, const std::array<std::uint32_t, N>& words) {
  // In this machine's byte order: the magic number tells a reader which.
  file.write(reinterpret_cast<const char*>(words.data()), sizeof(words));
}

}  // namespace

PcapWriter::PcapWriter(const std::string& path) : file_(path, std::ios::binary | std::ios::trunc) {
  if (!file_) throw std::runtime_error("cannot write " + path);
  std::array<std::uint32_t, 6> header{kMagicNanoseconds, 0, 0, 0, kSnapLength, kLinkTypeRaw};
  const std::array<std::uint16_t, 2> version{2, 4};
  std::memcpy(&header[1], version.data(), sizeof(version));
  write_words(file_, header);
}

void PcapWriter::write(Bytes packet, Instant at) {
  const auto ns = at.time_since_epoch().count();
  const auto length = static_cast<std::uint32_t>(packet.size());
  write_words(file_, std::array<std::uint32_t, 4>{static_cast<std::uint32_t>(ns / 1'000'000'000),
                                                  static_cast<std::uint32_t>(ns % 1'000'000'000),
                                                  length, length});
  file_.write(reinterpret_cast<const char*>(packet.data()),
              static_cast<std::streamsize>(packet.size()));
  file_.flush();
}

}  // namespace braid::sim
