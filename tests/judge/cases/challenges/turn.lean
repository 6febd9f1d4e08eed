/-- A list from its end to its beginning, or anything else that undoes itself. -/
def turn (xs : List Nat) : List Nat := sorry

theorem turn_length (xs : List Nat) : (turn xs).length = xs.length := sorry

theorem turn_turn (xs : List Nat) : turn (turn xs) = xs := sorry
