// The bindings: the only C++ file that names Python. Sizes are checked here, once, before any
// pointer goes down; what lies below knows no Python and no errors.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#include <numpy/arrayobject.h>
#include <numpy/random/bitgen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "cpu.hpp"
#include "dispatch.hpp"
#include "order.hpp"
#include "plan.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace chainrule {

namespace {

template <typename T> using Vector = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <typename T> using Matrix = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <typename T> using In = Vector<const T>;
template <typename T> using Rows = Matrix<const T>;
template <typename T> using Targets = std::variant<Rows<T>, In<std::int32_t>>; // or classes

// Places are counted in long: on Windows, where it has 32 bits, the package goes without this core.
static_assert(sizeof(long) == 8, "the compiled core needs a system whose long has 64 bits");
constexpr long most_parameters = 1l << 48;
constexpr std::int64_t most_updates = std::int64_t(1) << 62; // so that those to come can be counted

void require(bool fits, const char *what) {
    if (!fits) throw std::invalid_argument(std::string("chainrule._native: ") + what);
}

template <typename Indices> bool all_below(const Indices &indices, std::int32_t end) {
    const std::int32_t *index = indices.data();
    bool inside = true;
    for (std::size_t i = 0; i < indices.size(); ++i)
        inside &= index[i] >= 0 && index[i] < end;
    return inside;
}

// Asks Python for pending signals (Ctrl-C) from inside a long computation.
bool signal_pending(void *context) {
    nb::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() == 0) return false;
    auto *error = static_cast<std::optional<nb::python_error> *>(context);
    error->emplace(); // takes the error over
    return true;
}

class Plan {
  public:
    // A layer is (kind, n_in, n_out, activation, settings): the activation's parameter, or the rate
    // of dropout, then momentum and epsilon of batch normalisation; of category embeddings column,
    // codes and dimension of every table.
    Plan(const std::vector<std::tuple<int, int, int, int, std::vector<double>>> &layers, int cost,
         bool fused, double cost_parameter, int threads,
         const std::vector<std::tuple<int, int, double, int, double, double>> &heads)
        : threads_(threads) {
        long at = 0;
        for (const auto &[kind, n_in, n_out, activation, settings] : layers) {
            require(kind >= dense && kind <= category_embedding, "no such kind of layer");
            require(n_in > 0 && n_out > 0, "layer sizes must be positive");
            require(layers_.empty() || layers_.back().n_out == n_in, "layer sizes must chain");
            require(activation >= identity && activation <= softmax, "no such activation");
            require(kind == category_embedding ? !settings.empty() && settings.size() % 3 == 0
                                               : settings.size() == (kind == batch_norm ? 3 : 1),
                    "a layer has its settings");
            Layer layer{kind, n_in, n_out, activation, settings[0], at};
            if (kind == dense) {
                at += long(n_in) * n_out + n_out;
            } else if (kind == category_embedding) {
                require(layers_.empty() && activation == identity,
                        "embeddings are the first layer");
                take_lookups(n_in, n_out, settings);
                layer.lookups = static_cast<int>(lookups_.size());
                layer.lookup = lookups_.data();
                for (const Lookup &table : lookups_)
                    at += long(table.codes) * table.dimension;
                tables_ = at;
            } else if (kind == dropout) {
                require(n_in == n_out && activation == identity, "dropout keeps its units");
                require(settings[0] >= 0 && settings[0] < 1, "a rate lies in [0, 1)");
            } else {
                layer.momentum = settings[1];
                layer.epsilon = settings[2];
                require(n_in == n_out, "batch normalisation keeps its units");
                require(layer.momentum >= 0 && layer.momentum < 1 && layer.epsilon > 0,
                        "a momentum lies in [0, 1), and epsilon is positive");
                at += 4l * n_out;
            }
            // Places beyond this are nobody's, and sums of them must not overflow.
            require(at <= most_parameters, "too many parameters");
            layers_.push_back(layer);
        }
        require(!layers_.empty() && layers_.back().kind == dense,
                "a network ends in a dense layer");
        require(cost >= mean_squared_error && cost <= poisson, "no such cost");
        parameters_ = static_cast<std::size_t>(at);
        network_ = {
            static_cast<int>(layers_.size()), layers_.data(), cost, fused, cost_parameter, at};
        long units = 0;
        for (const auto &[n, activation, parameter, own_cost, own_parameter, weight] : heads) {
            require(n > 0, "a head has units");
            require(activation >= identity && activation <= softmax, "no such activation");
            require(own_cost >= mean_squared_error && own_cost <= poisson, "no such cost");
            heads_.push_back({n, activation, parameter, own_cost, own_parameter, weight});
            units += n;
        }
        require(heads_.empty() || units == layers_.back().n_out, "heads divide the output layer");
        network_.heads = static_cast<int>(heads_.size());
        network_.head = heads_.data();
    }
    Plan(const Plan &) = delete;

    template <typename T>
    long train(Vector<T> parameters, Matrix<T> slots, int optimizer, double beta_1, double beta_2,
               double epsilon, std::int64_t t, Rows<T> X, Targets<T> Y,
               std::optional<In<T>> weights, Rows<std::int32_t> order, long batch_size,
               In<double> learning_rates, double l1, double l2, bool plain_epsilon, bool divided,
               Vector<double> costs, Vector<double> gradient_norms,
               std::optional<Vector<double>> penalties, int threads, double weight_decay,
               double max_norm, std::uint64_t key, bool mixed) const {
        const Examples<T> examples = checked<T>(X, Y, weights, order);
        require(parameters.shape(0) == parameters_, "parameters do not fit the network");
        require(optimizer >= gradient_descent && optimizer <= lion, "no such optimizer");
        const std::size_t needed = slots_of(optimizer);
        require(slots.shape(0) == needed && (needed == 0 || slots.shape(1) == parameters_),
                "optimizer state does not fit");
        require(batch_size > 0, "batch_size must be positive");
        require(t >= 0 && t <= most_updates, "a number of updates made before");
        const std::size_t steps = order.shape(0) * ((order.shape(1) + batch_size - 1) / batch_size);
        require(learning_rates.shape(0) == steps && costs.shape(0) == steps &&
                    gradient_norms.shape(0) == steps &&
                    (!penalties || penalties->shape(0) == steps),
                "one learning rate and one record a step");
        const Update<T> update{optimizer,
                               beta_1,
                               beta_2,
                               epsilon,
                               {needed > 0 ? slots.data() : nullptr,
                                needed > 1 ? slots.data() + parameters_ : nullptr},
                               t,
                               learning_rates.data(),
                               l1,
                               l2,
                               plain_epsilon,
                               divided,
                               penalties ? penalties->data() : nullptr,
                               weight_decay,
                               max_norm,
                               key};
        const Kernels<T> &chosen = kernels<T>(mixed);
        return interruptible(threads, [&](const Control &control) {
            return checked_memory(chosen.train(network_, parameters.data(), examples, batch_size,
                                               update, costs.data(), gradient_norms.data(),
                                               control));
        });
    }

    template <typename T>
    double loss(In<T> parameters, Rows<T> X, Targets<T> Y, std::optional<In<T>> weights, double l1,
                double l2, std::optional<Vector<T>> gradient, int threads, bool mixed) const {
        const Examples<T> examples = checked<T>(X, Y, weights, std::nullopt);
        require(parameters.shape(0) == parameters_, "parameters do not fit the network");
        require(!gradient || gradient->shape(0) == parameters_, "gradient does not fit");
        const Kernels<T> &chosen = kernels<T>(mixed && gradient);
        return interruptible(threads, [&](const Control &control) {
            bool stopped = false;
            const double J = chosen.loss(network_, parameters.data(), examples, l1, l2,
                                         gradient ? gradient->data() : nullptr, control, &stopped);
            return checked_memory(J);
        });
    }

    template <typename T>
    void forward(In<T> parameters, Rows<T> X, Matrix<T> out, int threads) const {
        require(parameters.shape(0) == parameters_, "parameters do not fit the network");
        require(X.shape(0) > 0 && X.shape(1) == static_cast<std::size_t>(layers_.front().n_in),
                "X does not fit the network");
        require(has_codes(X.data(), X.shape(0)), "X has a code outside its table");
        require(out.shape(0) == X.shape(0) &&
                    out.shape(1) == static_cast<std::size_t>(layers_.back().n_out),
                "out does not fit");
        run_forward(parameters.data(), X.data(), long(X.shape(0)), out.data(), threads);
    }

    // Outputs for X, or None where X (or the parameters) is not an array as engines take it: exact
    // type, C-ordered, finite, of the network's width, its codes in their tables. Whoever called
    // then says what is wrong.
    nb::object predict(nb::handle parameters, nb::handle X) const {
        if (!PyArray_CheckExact(parameters.ptr()) || !PyArray_CheckExact(X.ptr()))
            return nb::none();
        auto *theta = reinterpret_cast<PyArrayObject *>(parameters.ptr());
        auto *rows = reinterpret_cast<PyArrayObject *>(X.ptr());
        const int type = PyArray_TYPE(theta);
        if (PyArray_NDIM(theta) != 1 || PyArray_DIM(theta, 0) != npy_intp(parameters_) ||
            PyArray_NDIM(rows) != 2 || PyArray_DIM(rows, 0) < 1 ||
            PyArray_DIM(rows, 1) != layers_.front().n_in || PyArray_TYPE(rows) != type ||
            !PyArray_ISCARRAY_RO(theta) || !PyArray_ISCARRAY_RO(rows))
            return nb::none();
        if (type != NPY_FLOAT && type != NPY_DOUBLE) return nb::none();
        npy_intp shape[2] = {PyArray_DIM(rows, 0), layers_.back().n_out};
        nb::object out = nb::steal(PyArray_EMPTY(2, shape, type, 0));
        if (!out.is_valid()) throw nb::python_error();
        void *to = PyArray_DATA(reinterpret_cast<PyArrayObject *>(out.ptr()));
        const bool finite = type == NPY_FLOAT ? predict_to<float>(theta, rows, to)
                                              : predict_to<double>(theta, rows, to);
        return finite ? out : nb::none();
    }

  private:
    // Column, codes and dimension of every table.
    void take_lookups(int n_in, int n_out, const std::vector<double> &settings) {
        constexpr double most = 1 << 24, largest = 1 << 16; // float32 has no more whole numbers
        std::vector<bool> taken(n_in);
        double units = n_in;
        for (std::size_t i = 0; i < settings.size(); i += 3) {
            const double column = settings[i], codes = settings[i + 1], size = settings[i + 2];
            require(column >= 0 && column < n_in && codes >= 1 && codes <= most && size >= 1 &&
                        size <= largest,
                    "a table has a column, codes and a dimension");
            lookups_.push_back({int(column), int(codes), int(size)});
            require(!taken[int(column)], "a column has one table");
            taken[int(column)] = true;
            units += lookups_.back().dimension - 1;
        }
        require(units == n_out, "embeddings replace their columns");
    }

    // Whether the codes of m rows of X are among their tables'; of those rows that `order` says.
    template <typename T>
    bool has_codes(const T *X, std::size_t m, const std::int32_t *order = nullptr) const {
        const std::size_t n = static_cast<std::size_t>(layers_.front().n_in);
        bool inside = true;
        for (std::size_t i = 0; i < m && !lookups_.empty(); ++i) {
            const T *row = X + (order ? std::size_t(order[i]) : i) * n;
            for (const Lookup &table : lookups_) {
                const T code = row[table.column];
                inside &= code >= T(0) && code < T(table.codes) && code == std::trunc(code);
            }
        }
        return inside;
    }

    template <typename T>
    bool predict_to(PyArrayObject *theta, PyArrayObject *rows, void *out) const {
        const T *X = static_cast<const T *>(PyArray_DATA(rows));
        const long m = long(PyArray_DIM(rows, 0));
        return has_codes(X, std::size_t(m)) &&
               run_forward(static_cast<const T *>(PyArray_DATA(theta)), X, m, static_cast<T *>(out),
                           threads_);
    }

    // False: X is not finite.
    template <typename T>
    bool run_forward(const T *parameters, const T *X, long m, T *out, int threads) const {
        const Kernels<T> &chosen = kernels<T>();
        // Too short to let another thread of Python's in, or to be interrupted.
        const bool brief = double(m) * double(parameters_ - tables_) < 1e5;
        Outcome outcome;
        if (brief) {
            outcome = chosen.forward(network_, parameters, X, m, out, {1, nullptr, nullptr});
        } else {
            outcome = interruptible(threads, [&](const Control &control) {
                return chosen.forward(network_, parameters, X, m, out, control);
            });
        }
        if (outcome == Outcome::out_of_memory) throw std::bad_alloc();
        return outcome != Outcome::not_finite;
    }

    template <typename T>
    Examples<T> checked(const Rows<T> &X, const Targets<T> &Y, const std::optional<In<T>> &weights,
                        const std::optional<Rows<std::int32_t>> &order) const {
        const std::size_t m = X.shape(0);
        require(m > 0 && X.shape(1) == static_cast<std::size_t>(layers_.front().n_in),
                "X does not fit the network");
        const Rows<T> *rows = std::get_if<Rows<T>>(&Y);
        const In<std::int32_t> *classes = std::get_if<In<std::int32_t>>(&Y);
        require(rows ? rows->shape(0) == m &&
                           rows->shape(1) == static_cast<std::size_t>(layers_.back().n_out)
                     : classes->shape(0) == m,
                "Y does not fit the network");
        require(!classes || all_below(*classes, layers_.back().n_out), "Y has no such class");
        require(!weights || weights->shape(0) == m, "one weight an example");
        if (order) {
            require(order->size() > 0 && m <= 0x7fffffff && all_below(*order, std::int32_t(m)),
                    "order has an index outside X");
        }
        require(order ? has_codes(X.data(), order->size(), order->data()) : has_codes(X.data(), m),
                "X has a code outside its table");
        return {X.data(),
                rows ? rows->data() : nullptr,
                classes ? classes->data() : nullptr,
                weights ? weights->data() : nullptr,
                order ? order->data() : nullptr,
                long(order ? order->shape(1) : m),
                long(m),
                long(order ? order->shape(0) : 1)};
    }

    // A negative count or J (there is no other) says that memory ran out.
    template <typename R> static R checked_memory(R result) {
        if (result == R(-1)) throw std::bad_alloc();
        return result;
    }

    // Runs without the interpreter's lock; an interruption's exception is raised afterwards.
    template <typename F> static auto interruptible(int threads, F &&body) {
        std::optional<nb::python_error> error;
        // More threads would only wait for each other, and systems run out of them. As in
        // native.py.
        const int most_threads = std::max(64, core_count());
        const Control control{std::clamp(threads, -most_threads, most_threads), signal_pending,
                              &error};
        auto result = [&] {
            nb::gil_scoped_release release;
            return body(control);
        }();
        if (error) throw std::move(*error);
        return result;
    }

    std::vector<Layer> layers_;
    std::vector<Lookup> lookups_;
    std::vector<Head> heads_;
    std::size_t parameters_ = 0, tables_ = 0; // tables_: those in tables
    Network network_{};
    int threads_; // of `predict`, at most
};

template <typename T> void activation(int kind, Vector<T> A, Vector<T> D, double parameter) {
    require(kind >= identity && kind < softmax, "no such element-wise activation");
    require(A.shape(0) == D.shape(0) && A.shape(0) % 16 == 0, "whole vectors of 16 only");
    kernels<T>().activation(kind, A.data(), D.data(), long(A.shape(0)), T(parameter));
}

// NaN and the infinities are the numbers whose exponent has all bits set.
template <typename T, typename Bits> bool all_finite(In<T> array) {
    constexpr Bits exponent = sizeof(T) == 4 ? Bits(0x7f800000u) : Bits(0x7ff0000000000000u);
    const T *numbers = array.data();
    const std::size_t n = array.shape(0);
    Bits found = 0; // of the numbers' own width, so that the loop becomes vector code
    for (std::size_t i = 0; i < n; ++i) {
        Bits bits;
        std::memcpy(&bits, numbers + i, sizeof bits);
        found |= Bits((bits & exponent) == exponent);
    }
    return found == 0;
}

template <typename T> void bind(nb::class_<Plan> &plan, nb::module_ &m) {
    plan.def("train", &Plan::train<T>, "parameters"_a.noconvert(), "slots"_a.noconvert(),
             "optimizer"_a, "beta_1"_a, "beta_2"_a, "epsilon"_a, "t"_a, "X"_a.noconvert(),
             "Y"_a.noconvert(), "weights"_a.noconvert().none(), "order"_a.noconvert(),
             "batch_size"_a, "learning_rates"_a.noconvert(), "l1"_a, "l2"_a, "plain_epsilon"_a,
             "divided"_a, "costs"_a.noconvert(), "gradient_norms"_a.noconvert(),
             "penalties"_a.noconvert().none(), "threads"_a, "weight_decay"_a = 0.0,
             "max_norm"_a = 0.0, "key"_a = 0, "mixed"_a = false);
    plan.def("loss", &Plan::loss<T>, "parameters"_a.noconvert(), "X"_a.noconvert(),
             "Y"_a.noconvert(), "weights"_a.noconvert().none(), "l1"_a, "l2"_a,
             "gradient"_a.noconvert().none(), "threads"_a, "mixed"_a = false);
    plan.def("forward", &Plan::forward<T>, "parameters"_a.noconvert(), "X"_a.noconvert(),
             "out"_a.noconvert(), "threads"_a);
    m.def("activation", &activation<T>, "kind"_a, "A"_a.noconvert(), "D"_a.noconvert(),
          "parameter"_a);
}

} // namespace

} // namespace chainrule

NB_MODULE(_native, m) {
    using namespace chainrule;
    m.doc() = "The compiled core of chainrule.";
    if (PyArray_ImportNumPyAPI() < 0) throw nb::python_error();

    // Plans live in a cache until the process ends, and some hosts end without emptying it: nothing
    // that a user should read about on standard error.
    nb::set_leak_warnings(false);

    m.def(
        "cpu_info",
        [](std::optional<std::array<std::uint64_t, 5>> words) {
            CpuWords cpu = cpu_words();
            if (words) {
                const auto [xcr0, ecx1, ebx7, edx7, eax7_1] = *words;
                cpu = {xcr0, std::uint32_t(ecx1), std::uint32_t(ebx7), std::uint32_t(edx7),
                       std::uint32_t(eax7_1)};
            }
            const std::vector<std::string> features = cpu_features(cpu);
            nb::dict info;
            info["features"] = features;
            info["instruction_sets"] = runnable(features);
            info["cores"] = core_count();
            info["mixed"] = has_mixed();
            return info;
        },
        "words"_a = nb::none(),
        "What this CPU has, which instruction sets can be chosen for it, weakest first, and usable "
        "cores. words: XCR0, CPUID's ECX of leaf 1, EBX and EDX of leaf 7 and EAX of leaf 7.1, of "
        "another CPU.");
    m.def(
        "instruction_set", [] { return std::string(chosen().name); },
        "The instruction set that the kernels use.");
    m.def("use_instruction_set", &choose, "name"_a,
          "Choose the kernels' instruction set; ValueError if this CPU or build has not got it.");

    m.def("all_finite", &all_finite<float, std::uint32_t>, "array"_a.noconvert());
    m.def("all_finite", &all_finite<double, std::uint64_t>, "array"_a.noconvert(),
          "Whether no element is NaN or infinite.");
    m.def(
        "epoch_orders",
        [](std::uint64_t key, std::uint64_t first_epoch, Matrix<std::int32_t> orders) {
            const std::size_t n = orders.shape(1);
            require(n <= 0x7fffffff, "an order holds 32-bit indices");
            for (std::size_t e = 0; e < orders.shape(0); ++e) {
                epoch_order(key, first_epoch + e, std::int32_t(n), orders.data() + e * n);
            }
        },
        "key"_a, "first_epoch"_a, "orders"_a.noconvert(),
        "Fill each row with the order of the examples in one epoch.");
    m.def(
        "shuffled_orders",
        [](nb::capsule generator, In<std::int32_t> before, Matrix<std::int32_t> orders) {
            require(generator.name() && std::strcmp(generator.name(), "BitGenerator") == 0,
                    "expected the capsule of one of NumPy's bit generators");
            auto *bits = static_cast<bitgen_t *>(generator.data());
            const std::size_t n = orders.shape(1);
            require(before.shape(0) == n && n <= 0x7fffffff && all_below(before, std::int32_t(n)),
                    "an order holds indices of its own examples");
            const std::int32_t *last = before.data();
            for (std::size_t e = 0; e < orders.shape(0); ++e) {
                std::int32_t *row = orders.data() + e * n;
                shuffled_as_numpy(std::int32_t(n), row,
                                  [&] { return bits->next_uint32(bits->state); });
                for (std::size_t i = 0; i < n; ++i)
                    row[i] = last[row[i]];
                last = row;
            }
        },
        "generator"_a, "before"_a.noconvert(), "orders"_a.noconvert(),
        "Fill each row with the order before it, shuffled as by numpy.random.RandomState.");

    nb::class_<Plan> plan(m, "Plan", "A network as the kernels see it.");
    plan.def(nb::init<const std::vector<std::tuple<int, int, int, int, std::vector<double>>> &, int,
                      bool, double, int,
                      const std::vector<std::tuple<int, int, double, int, double, double>> &>(),
             "layers"_a, "cost"_a, "fused"_a, "cost_parameter"_a = 0.0, "threads"_a = 1,
             "heads"_a = std::vector<std::tuple<int, int, double, int, double, double>>{});
    plan.def("predict", &Plan::predict);
    bind<float>(plan, m);
    bind<double>(plan, m);
}
