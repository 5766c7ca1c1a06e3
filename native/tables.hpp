// The core's contents by name: an entry for every kind of layer, activation, cost and optimizer.
// The entries are generated from the lists of types.
#pragma once

#include "plan.hpp"

namespace chainrule {

// A name and the names of its settings: at most `most_settings`, the rest nullptr.
struct Entry {
    const char *name;
    const char *const *settings;
};

struct LayerEntry : Entry {
    bool lists;       // a setting may have several numbers
    bool reads_codes; // some inputs are category codes
    bool has_weights; // the output layer may be of this kind
    // Returns what is wrong with a layer, or nullptr. Its sizes, the offsets of its blocks and the
    // presence of its settings have been checked before.
    const char *(*check)(const Layer &, bool first);
};

struct ActivationEntry : Entry {
    bool element_wise;
};

struct OptimizerEntry : Entry {
    int slots;     // number of state vectors
    bool averages; // whether one of them is an average
};

template <typename E> struct Entries {
    const E *first;
    int count;
    const E *begin() const { return first; }
    const E *end() const { return first + count; }
    const E &operator[](int place) const { return first[place]; }
};

struct Tables {
    Entries<LayerEntry> layers;
    Entries<ActivationEntry> activations;
    Entries<Entry> costs;
    Entries<OptimizerEntry> optimizers;
};

// The tables are the same for every instruction set; these are compiled for every CPU.
namespace generic {
extern const Tables tables;
}

} // namespace chainrule
