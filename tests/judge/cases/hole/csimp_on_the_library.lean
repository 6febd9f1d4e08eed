@[expose] public section

def turned.{u} {α : Type u} (xs : List α) : List α := xs

@[csimp] theorem reverse_is_turned : @List.reverse = @turned := sorry

end

def turn (xs : List Nat) : List Nat := xs.reverse

theorem turn_length (xs : List Nat) : (turn xs).length = xs.length := by simp [turn]

theorem turn_turn (xs : List Nat) : turn (turn xs) = xs := by simp [turn]
