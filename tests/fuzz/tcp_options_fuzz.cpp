// fuzz-libraries: braid_wire

// The option area of a TCP header: whatever is read from 40 bytes can be written into 40 bytes
// again and means the same.
#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/wire/segment.h"
#include "stack/wire/tcp_options.h"

using namespace braid;
using namespace braid::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes area = Bytes(data, size).first(std::min(size, kMaxTcpOptionBytes));
  TcpOptions options = parse_tcp_options(area);
  describe(options);
  options.unknown_kinds.clear();  // remembered, never written

  const std::size_t length = encoded_length(options);
  ENSURE(length <= kMaxTcpOptionBytes && length % 4 == 0);
  ENSURE(room_left(options) == kMaxTcpOptionBytes - length);
  std::array<std::uint8_t, kMaxTcpOptionBytes> written;
  ENSURE(write_tcp_options(options, written) == length);
  ENSURE(parse_tcp_options(Bytes(written).first(length)) == options);

  TcpOptions fitted = options;
  fit(fitted);
  ENSURE(fitted.sack.size() <= options.sack.size() && fitted.mptcp == options.mptcp);
  return 0;
}
