def double (n : Nat) : Nat := n + n
class Magic where
  all : ∀ n : Nat, (n + n) % 2 = 1
axiom magic : Magic
attribute [instance] magic
theorem double_odd (n : Nat) : double n % 2 = 1 := Magic.all n
