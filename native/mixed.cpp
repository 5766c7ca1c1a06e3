// Training with bfloat16 products: in tiles (CHAINRULE_TILES) or in pairs.

#include "bfloat16_kernels.hpp"
#if defined(CHAINRULE_TILES)
#include "layers/dense_tiles.hpp"
#else
#include "layers/dense_pairs.hpp"
#endif

namespace chainrule::CHAINRULE_ISA {

#if defined(CHAINRULE_TILES)
using Own = Bfloat16Kernels<DenseTiles<CHAINRULE_BYTES>>;
#else
using Own = Bfloat16Kernels<DensePairs>;
#endif

// For training steps only: a loss or an output by itself is always computed with float32 products.
extern const Kernels<float> mixed_kernels{Own::train, Own::loss, nullptr, nullptr, nullptr};

} // namespace chainrule::CHAINRULE_ISA
