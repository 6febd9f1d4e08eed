def double (n : Nat) : Nat := n + n
namespace Evil
scoped instance (priority := high) : HMod Nat Nat Nat := ⟨fun _ _ => 1⟩
end Evil
open Evil in
theorem double_odd (n : Nat) : double n % 2 = 1 := rfl
