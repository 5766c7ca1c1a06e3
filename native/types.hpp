// Lists of types: the kinds of layer, the activations, the costs and the optimizers are one each. A
// type is chosen by its place in the list; its name and its settings' names are its own. Whatever
// asks "which one?" folds over the list, which the compiler makes a jump or a comparison: there are
// no virtual calls.
#pragma once

#include <type_traits>

#include "plan.hpp"
#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// What a type calls its settings, in the order in which it reads them.
struct Names {
    const char *name[most_settings] = {};
};

template <typename X> struct Tag {
    using Type = X;
};

template <typename... Xs> struct Types {
    static constexpr int count = sizeof...(Xs);

    // The place of X; −1 if it is not in the list.
    template <typename X> static constexpr int place_of() {
        int place = 0, found = -1;
        ((std::is_same_v<X, Xs> ? void(found = place++) : void(++place)), ...);
        return found;
    }

    // Calls f with the tag of the type at that place.
    template <typename F> CHAINRULE_INLINE void visit(int place, F &&f) {
        int i = 0;
        (void)((place == i++ && (f(Tag<Xs>{}), true)) || ...);
    }

    // Calls f with every type's tag in turn.
    template <typename F> static void each(F &&f) { (f(Tag<Xs>{}), ...); }
};

// A choice's settings in the arithmetic of the kernels.
template <typename T> struct Settings {
    T at[most_settings];
    explicit Settings(const Choice &choice) {
        for (int i = 0; i < most_settings; ++i)
            at[i] = T(choice.settings[i]);
    }
    T operator[](int i) const { return at[i]; }
};

} // namespace chainrule::CHAINRULE_ISA
