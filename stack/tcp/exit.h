// Exit: where the segments of a Layer leave. Implemented by the machine above, or by a test.
#pragma once

#include "stack/tcp/tuple.h"
#include "stack/wire/segment.h"

namespace braid::tcp {

class Exit {
 public:
  virtual ~Exit() = default;
  // False: nothing can leave by this interface now; the connection waits for Layer::door_opened().
  virtual bool ready(InterfaceId interface) const = 0;
  virtual void send(InterfaceId interface, const wire::Segment& segment) = 0;
};

}  // namespace braid::tcp
