// Training with bfloat16 products: in tiles (CHAINRULE_TILES) or in pairs.

#include "bfloat16_kernels.hpp"
#if defined(CHAINRULE_TILES)
#include "layers/dense_tiles.hpp"
#else
#include "layers/dense_pairs.hpp"
#include "pair_words.hpp"
#endif

namespace chainrule::CHAINRULE_ISA {

#if defined(CHAINRULE_TILES)
using Own = Bfloat16Kernels<DenseTiles<CHAINRULE_BYTES>>;
#else
using Own = Bfloat16Kernels<DensePairs>;
#endif

// For training steps only: a loss or an output by itself is always computed with float32 products.
extern const Kernels<float> mixed_kernels{Own::train, Own::loss, nullptr, nullptr, nullptr};

#if !defined(CHAINRULE_TILES)
extern const Orthogonaliser<float> orthogonaliser;
const Orthogonaliser<float> orthogonaliser = orthogonaliser_of<float, PairWords>;
#endif

} // namespace chainrule::CHAINRULE_ISA
