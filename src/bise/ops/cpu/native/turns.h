// Turns at the workers, for all that keeps them busy longer than a single product.
#pragma once

#include <cstdint>

namespace bise {

// A turn, for as long as it lives. First come, first served: whoever works for seconds takes a turn
// for every slice of it, and others come in between. A child of a fork begins with no turns taken.
class Turn {
   public:
    Turn();
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
};

}  // namespace bise
