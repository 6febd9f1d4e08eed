theorem map_id' (xs : List α) : xs.map id = xs := sorry

theorem comp_map (f : α → β) (g : β → γ) (xs : List α) : (xs.map f).map g = xs.map (g ∘ f) := sorry
