theorem map_id' {α : Type u_1} (xs : List α) : xs.map id = xs := by simp

theorem comp_map.{x, y, z} {α : Type x} {β : Type y} {γ : Type z} (f : α → β) (g : β → γ) (xs : List α) :
    (xs.map f).map g = xs.map (g ∘ f) := by simp
