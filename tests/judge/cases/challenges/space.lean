namespace Space

section
variable {α : Type} (p : α → Bool)

/-- Those that a test lets through. -/
def keep : List α → List α
  | [] => []
  | x :: xs => if p x then x :: keep xs else keep xs

theorem keep_nil : keep p [] = [] := sorry

theorem keep_length (xs : List α) : (keep p xs).length ≤ xs.length := sorry
end

end Space
