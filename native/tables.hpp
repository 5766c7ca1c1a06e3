// What there is in the core, by name: an entry for every kind of layer, activation, cost and
// optimizer. They are made from the lists of types, which have the names and all that is said here.
#pragma once

#include "plan.hpp"

namespace chainrule {

// An entry's settings' names: `most_settings` at most, the rest nullptr.
struct Entry {
    const char *name;
    const char *const *settings;
};

struct LayerEntry : Entry {
    bool lists;       // a setting may be several numbers
    bool reads_codes; // among the inputs
    // What is wrong with a layer whose sizes are positive, whose blocks lie one after the other and
    // whose settings are there; nullptr: nothing.
    const char *(*check)(const Layer &, bool first);
};

struct ActivationEntry : Entry {
    bool element_wise;
};

struct OptimizerEntry : Entry {
    int slots;     // vectors
    bool averages; // one of them is an average
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

// Every instruction set has the same; this one runs on every CPU.
namespace generic {
extern const Tables tables;
}

} // namespace chainrule
